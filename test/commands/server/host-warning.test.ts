import { describe, expect, it } from "vitest";
import { hostWarning } from "#src/commands/server/host-warning.ts";

describe("the warning of a host that the CA may not vouch for", () => {
  it.each(["203.0.113.9", "2001:db8::1", "shop.example"])("says so of %s, and what to do", (host) => {
    const warning = hostWarning({ host, url: "https://there:4433" });
    expect(warning).toMatchObject({
      level: "warn",
      event: "host-not-vouched",
      fields: { host, hint: expect.stringContaining("chanctl dev --host ") as unknown },
    });
    expect(warning?.message).toContain(host);
  });

  it.each(["0.0.0.0", "::", "localhost", "127.0.0.2", "192.168.1.5", "fd00::1", "mymac.local"])(
    "is not there for %s",
    (host) => expect(hostWarning({ host, url: "https://there:4433" })).toBeUndefined(),
  );
});

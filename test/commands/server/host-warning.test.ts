import { describe, expect, it } from "vitest";
import { hostWarnings } from "#src/commands/server/host-warning.ts";
import type { LanAddress } from "#src/platform/lan-address.ts";

const NOWHERE = { url: "https://there:4433", isVouched: true, publicAddresses: [], privateAddresses: [] };

function at(address: string): LanAddress {
  return {
    address,
    family: address.includes(":") ? "IPv6" : "IPv4",
    interfaceName: "eth0",
    isVirtual: false,
  };
}

describe("the warning of a host that the CA may not vouch for", () => {
  it.each(["203.0.113.9", "2001:db8::1", "shop.example"])("says so of %s, and what to do", (host) => {
    const [warning, ...others] = hostWarnings({ ...NOWHERE, host });
    expect(others).toEqual([]);
    expect(warning).toMatchObject({
      level: "warn",
      event: "host-not-vouched",
      fields: { host, hint: expect.stringContaining("chanctl dev --host localhost ") as unknown },
    });
    expect(warning?.message).toContain(host);
    expect(hostWarnings({ ...NOWHERE, host, isVouched: false })).toEqual([]);
  });

  it.each(["0.0.0.0", "::", "localhost", "127.0.0.2", "192.168.1.5", "fd00::1", "mymac.local"])(
    "is not there for %s",
    (host) => expect(hostWarnings({ ...NOWHERE, host })).toEqual([]),
  );
});

describe("the warning of an address that is not private", () => {
  const publicAddresses = [at("192.0.2.2"), at("2001:db8::1")];

  it("names who comes in and the addresses, with TLS or without, and the private one to listen on instead", () => {
    for (const isVouched of [true, false]) {
      const privateAddresses = [at("fd00::2"), at("169.254.1.1")];
      expect(
        hostWarnings({ ...NOWHERE, host: "0.0.0.0", isVouched, publicAddresses, privateAddresses }),
      ).toEqual([
        {
          level: "warn",
          event: "host-public",
          message:
            "192.0.2.2 and 2001:db8::1 are no private addresses: whoever reaches them comes in, on a cloud machine the whole internet",
          fields: {
            addresses: ["192.0.2.2", "2001:db8::1"],
            hint:
              "chanctl dev --host fd00::2     for the network of this private address alone\n" +
              "chanctl dev --host localhost     for this machine alone",
          },
        },
      ]);
    }
  });

  it("comes beside the other where the host is that address", () => {
    const warnings = hostWarnings({ ...NOWHERE, host: "192.0.2.2", publicAddresses: [at("192.0.2.2")] });
    expect(warnings.map(({ event }) => event)).toEqual(["host-public", "host-not-vouched"]);
  });
});

import { describe, expect, it } from "vitest";

import { changedKeys, settingValues } from "#src/server/config-change.ts";
import { isLive, LiveSettings } from "#src/server/live-settings.ts";
import { resolveOptions } from "#src/server/resolve-options.ts";
import type { ResolvedOptions } from "#src/server/resolve-options.ts";
import { CONFIG_KEYS } from "#src/server/settings.ts";

function resolve(value: unknown): ResolvedOptions {
  const config = { path: "/shop/chanctl.config.ts", value, source: "" };
  return resolveOptions({ flags: {}, env: {}, config, root: "/shop", cwd: "/shop" });
}

describe("a change of the config", () => {
  it("is compared in every key", () => {
    const compared = Object.keys(settingValues(resolve({})));
    const isCompared = (key: string): boolean =>
      compared.some((each) => key === each || key.startsWith(`${each}.`));
    expect(CONFIG_KEYS.filter((key) => !isCompared(key))).toEqual([]);
  });

  it("is named by its keys", () => {
    const before = settingValues(resolve({ app: { command: "a" }, jwt: { jwksUrl: "https://a" } }));
    const after = resolve({ app: { command: "b" }, jwt: { jwksUrl: "https://b" }, durableStreams: false });
    const changed = changedKeys(before, settingValues(after)).filter((key) => !key.startsWith("durable"));
    expect(changed).toEqual(["app.command", "jwt"]);
    expect(changed.filter(isLive)).toEqual([]);
  });

  it("that only writes the same in another way is none", () => {
    const before = settingValues(resolve({ limits: { maxMessageBytes: 65_536 } }));
    expect(changedKeys(before, settingValues(resolve({ limits: { maxMessageBytes: "64KiB" } })))).toEqual([]);
  });
});

describe("a running server's settings", () => {
  it("change within the objects that its parts hold", () => {
    const live = new LiveSettings(resolve({ allowedOrigins: ["https://a", "https://b"] }));
    const { limits, allowedOrigins, durableStreams } = live.parts;
    live.apply(
      resolve({
        allowedOrigins: ["https://c"],
        authorizeRetryMs: 1,
        limits: { maxConnections: 7, maxHeaderBytes: 1 },
        durableStreams: { pollIntervalSecs: 1, path: "/other" },
      }),
    );
    expect(allowedOrigins).toEqual(["https://c"]);
    expect(live.authorizeRetryMs).toBe(1);
    expect(durableStreams).toMatchObject({ pollTimeoutMs: 1_000, path: "/ds" });
    // Node's parser was made with the old one: to show the new one would be a lie.
    expect(limits).toMatchObject({ maxConnections: 7, maxHeaderBytes: 16_384 });
  });
});

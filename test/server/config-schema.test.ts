import { readFile } from "node:fs/promises";

import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";

import { configSchema } from "#src/server/config-schema.ts";
import { resolveOptions } from "#src/server/resolve-options.ts";
import { CONFIG_KEYS } from "#src/server/settings.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";

const validate = new Ajv({ strict: false }).compile(configSchema());

function parserTakes(value: unknown): boolean {
  const config = { path: "/shop/chanctl.config.json", value, source: "" };
  try {
    resolveOptions({ flags: {}, env: {}, config, root: "/shop", cwd: "/shop" });
    return true;
  } catch (error) {
    if (error instanceof ChanctlError) return false;
    throw error;
  }
}

const GOOD: readonly unknown[] = [
  {},
  { $schema: "./node_modules/chanctl/config.schema.json" },
  { port: 0, host: "::", internalHost: "127.0.0.1", internalPort: 65_535, channels: "../live" },
  { host: "192.168.1.5", internalHost: "fd00::2" },
  { host: "mymac.local", internalHost: "localhost" },
  { host: true },
  { app: { command: "npm start", port: 3000 } },
  { app: { url: "http://127.0.0.1:3000/" } },
  { app: {} },
  { allowedOrigins: ["https://app.example", "http://[::1]:3000"], allowedHosts: ["shop.test", ".shop.test"] },
  { authorizeRetryMs: "10s" },
  { authorizeRetryMs: 0 },
  { tls: { cert: "a.pem", key: "b.pem" } },
  { durableStreams: false },
  { durableStreams: { path: "/a/b/", pollIntervalSecs: 0.5, sseTtlSecs: 60, publicStreams: true } },
  { streamsSecret: "s", jwt: { secret: "s", algorithms: ["HS256"], param: "jid" } },
  { jwt: { jwksUrl: "https://id.example/keys?x=1", audience: "a", issuer: "b" } },
  { limits: { maxMessageBytes: "64KiB", authFrameWaitMs: "1.5s", maxConnections: 1 } },
];

const BAD: readonly unknown[] = [
  [],
  "x",
  { prot: 1 },
  { port: -1 },
  { port: 1.5 },
  { port: 65_536 },
  { port: null },
  { host: " " },
  { host: "0" },
  { host: "127.1" },
  { host: "0x7f.1" },
  { host: "*" },
  { host: "[::1]" },
  { internalHost: "1" },
  { internalHost: true },
  { channels: "" },
  { app: "npm start" },
  { app: { comand: "x" } },
  { app: { command: "x", url: "http://127.0.0.1:1" } },
  { app: { url: "http://127.0.0.1:1/path" } },
  { app: { url: "ftp://a" } },
  { allowedOrigins: "*" },
  { allowedOrigins: ["app.example"] },
  { allowedHosts: ["a b"] },
  { allowedHosts: ["https://a"] },
  { authorizeRetryMs: 300_001 },
  { authorizeRetryMs: "10 apples" },
  { tls: { cert: "a.pem" } },
  { durableStreams: "yes" },
  { durableStreams: { path: "/" } },
  { durableStreams: { path: "/Channels/x" } },
  { durableStreams: { path: "ds" } },
  { durableStreams: { path: "/a/../b" } },
  { durableStreams: { pollIntervalSecs: 0 } },
  { durableStreams: { sseTtlSecs: 86_401 } },
  { durableStreams: { skipAuth: null } },
  { streamsSecret: "" },
  { jwt: {} },
  { jwt: { secret: "a", jwksUrl: "https://a" } },
  { jwt: { secret: "a", algorithms: [] } },
  { jwt: { secret: "a", algorithms: ["none"] } },
  { jwt: { secret: "a", param: "offset" } },
  { jwt: { secret: "a", param: "-" } },
  { limits: { maxMessageBytes: 0 } },
  { limits: { maxMessageBytes: "64 KiB" } },
  { limits: { authFrameWaitMs: 86_400_001 } },
  { limits: { maxConnections: "1 MiB" } },
  { limits: { maxConections: 1 } },
];

describe("the JSON Schema of the config", () => {
  it.each(GOOD.map((config) => [JSON.stringify(config), config]))(
    "takes %s, as the parser does",
    (_, config) => {
      expect({ schema: validate(config), parser: parserTakes(config) }).toEqual({
        schema: true,
        parser: true,
      });
    },
  );

  it.each(BAD.map((config) => [JSON.stringify(config), config]))(
    "refuses %s, as the parser does",
    (_, config) => {
      expect({ schema: validate(config), parser: parserTakes(config) }).toEqual({
        schema: false,
        parser: false,
      });
    },
  );

  it("describes every key, and its defaults are taken by the parser and change nothing", () => {
    const schema = configSchema() as { properties: Record<string, Described> };
    const described = Object.entries(schema.properties).flatMap(([name, part]) => leaves(name, part));
    expect(described.map(([key]) => key).sort()).toEqual(["$schema", ...CONFIG_KEYS].sort());
    for (const [key, { description }] of described)
      expect([key, description]).toEqual([key, expect.stringMatching(/.{10}/)]);
    const limits = Object.fromEntries(
      described.flatMap(([key, part]) => (key.startsWith("limits.") ? [[key.slice(7), part.default]] : [])),
    );
    expect(limits).toEqual(DEFAULT_LIMITS);
  });

  it("is the published file", async () => {
    const published: unknown = JSON.parse(await readFile("config.schema.json", "utf8"));
    expect(published).toEqual(JSON.parse(JSON.stringify(configSchema()))); // else: npm run docs
  });
});

interface Described {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly anyOf?: readonly Described[];
}

function leaves(name: string, part: Described): readonly (readonly [string, Described])[] {
  const members =
    part.properties ?? part.anyOf?.find(({ properties }) => properties !== undefined)?.properties;
  if (members === undefined) return [[name, part]];
  return Object.entries(members).flatMap(([member, inner]) => leaves(`${name}.${member}`, inner));
}

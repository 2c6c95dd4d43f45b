import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "#src/server.ts";
import { resolveOptions } from "#src/server/resolve-options.ts";
import type { ResolvedOptions } from "#src/server/resolve-options.ts";
import type { Flags } from "#src/server/setting-source.ts";
import type { UserConfig } from "#src/server/user-config.ts";
import { runCli, RunningCli } from "../commands/cli.ts";

interface Given {
  readonly flags?: Flags;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: unknown;
}

function resolve({ flags = {}, env = {}, config }: Given): ResolvedOptions {
  return resolveOptions({
    flags,
    env,
    config: config === undefined ? undefined : { path: "/shop/chanctl.config.ts", value: config, source: "" },
    root: "/shop",
    cwd: "/shop",
  });
}

const DEFAULTS = {
  path: "/ds",
  pollTimeoutMs: 10_000,
  sseTtlMs: 60_000,
  skipsAuthentication: false,
  publicStreams: false,
  publicWrites: false,
};

/** Page 3's table: option, what its flag and its variable are called, a value, and what it comes to. */
const TABLE = [
  ["path", "CHANCTL_DS_PATH", "/v1/stream", { path: "/v1/stream" }],
  ["skipAuth", "CHANCTL_DS_SKIP_AUTH", true, { skipsAuthentication: true }],
  ["pollIntervalSecs", "CHANCTL_DS_POLL_INTERVAL", 0.5, { pollTimeoutMs: 500 }],
  ["sseTtlSecs", "CHANCTL_DS_SSE_TTL", 7.5, { sseTtlMs: 7_500 }],
  ["publicStreams", "CHANCTL_PUBLIC_STREAMS", true, { publicStreams: true }],
  ["publicWrites", "CHANCTL_PUBLIC_WRITES", true, { publicWrites: true }],
] as const;

describe("the settings of Durable Streams", () => {
  it("have page 3's defaults", () => {
    const { durableStreams, ...rest } = resolve({});
    expect(durableStreams).toEqual(DEFAULTS);
    expect(rest).not.toHaveProperty("streamsSecret");
    expect(rest).not.toHaveProperty("jwt");
  });

  it.each(TABLE)("`%s` is %s, a flag, and a key of the config", (name, variable, value, expected) => {
    const whole = { ...DEFAULTS, ...expected };
    expect(resolve({ config: { durableStreams: { [name]: value } } }).durableStreams).toEqual(whole);
    expect(resolve({ env: { [variable]: String(value) } }).durableStreams).toEqual(whole);
    const flag = typeof value === "number" ? String(value) : value;
    expect(resolve({ flags: { [`durableStreams.${name}`]: flag } }).durableStreams).toEqual(whole);
  });

  it.each<[string, Given]>([
    ["`false`", { config: { durableStreams: false } }],
    ["`enabled: false`", { config: { durableStreams: { enabled: false } } }],
    ["`--no-ds`", { flags: { "durableStreams.enabled": false } }],
    ["CHANCTL_DS=0", { env: { CHANCTL_DS: "0" } }],
    ["CHANCTL_DS=false over the config", { env: { CHANCTL_DS: "false" }, config: { durableStreams: true } }],
  ])("%s turns them off", (_, given) => {
    expect(resolve(given).durableStreams).toBeUndefined();
  });

  it("`--ds` turns them on over the config, with the config's path", () => {
    const config = { durableStreams: { enabled: false, path: "/streams/" } };
    expect(resolve({ flags: { "durableStreams.enabled": true }, config }).durableStreams).toMatchObject({
      path: "/streams",
    });
  });

  it("secrets and `jwt` come from the config, the flags and the environment", () => {
    const config: UserConfig = {
      streamsSecret: "c",
      jwt: { secret: "j", audience: "a", issuer: "i", param: "x", algorithms: ["HS256"] },
    };
    const { streamsSecret, jwt } = resolve({ config });
    expect({ streamsSecret, jwt }).toEqual({
      streamsSecret: "c",
      jwt: { key: "j", algorithms: ["HS256"], audience: "a", issuer: "i", param: "x" },
    });
    const env = { CHANCTL_STREAMS_SECRET: "e", CHANCTL_JWT_SECRET: "e2", CHANCTL_JWT_AUDIENCE: "b" };
    expect(resolve({ env, config })).toMatchObject({
      streamsSecret: "e",
      jwt: { key: "e2", audience: "b", issuer: "i" },
    });
    const flags = { streamsSecret: "f", "jwt.secret": "f2" };
    expect(resolve({ flags, env, config })).toMatchObject({ streamsSecret: "f", jwt: { key: "f2" } });
  });

  it("the first source that says what a JWT is verified with decides", () => {
    const config: UserConfig = { jwt: { jwksUrl: "https://id.example/jwks.json" } };
    expect(resolve({ config }).jwt).toEqual({
      key: new URL("https://id.example/jwks.json"),
      algorithms: ["RS256", "ES256", "EdDSA"],
    });
    expect(resolve({ flags: { "jwt.secret": "s" }, config }).jwt).toEqual({
      key: "s",
      algorithms: ["HS256"],
    });
  });
});

describe("what does not fit is refused, and said which", () => {
  it.each<[Given, string]>([
    [
      { config: { streamsSecret: "" } },
      "chanctl.config.ts: `streamsSecret` must be a secret that is not empty",
    ],
    [{ config: { streamsSecret: "  " } }, "chanctl.config.ts: `streamsSecret` must be a secret"],
    [
      { config: { jwt: { secret: "" } } },
      "chanctl.config.ts: `jwt.secret` must be a secret that is not empty",
    ],
    [
      { env: { CHANCTL_STREAMS_SECRET: "" } },
      "the environment variable CHANCTL_STREAMS_SECRET must be a secret",
    ],
    [{ env: { CHANCTL_JWT_SECRET: "" } }, "the environment variable CHANCTL_JWT_SECRET must be a secret"],
    [{ flags: { streamsSecret: "" } }, "`--streams-secret` must be a secret that is not empty"],
    [{ flags: { "jwt.secret": "" } }, "`--jwt-secret` must be a secret that is not empty"],
    [
      { config: { jwt: { secret: "s", jwksUrl: "https://id.example" } } },
      "chanctl.config.ts: `jwt.secret` and `jwt.jwksUrl` exclude each other",
    ],
    [
      { config: { jwt: { secret: "s", algorithms: ["HS257"] } } },
      "chanctl.config.ts: `jwt.algorithms` must be a list of",
    ],
    [
      { config: { jwt: { secret: "s", algorithms: ["none"] } } },
      "must be a list of HS256, RS256, ES256, EdDSA",
    ],
    [
      { config: { jwt: { secret: "s", algorithms: [] } } },
      "chanctl.config.ts: `jwt.algorithms` must be a list of",
    ],
    [{ config: { jwt: { secret: "s", algorithms: ["RS256"] } } }, "must be HS256 with a secret, got `RS256`"],
    [
      { config: { jwt: { jwksUrl: "https://id.example", algorithms: ["HS256"] } } },
      "must be RS256, ES256 or EdDSA with a key set, got `HS256`",
    ],
    [
      { config: { jwt: { jwksUrl: "ftp://id.example" } } },
      "chanctl.config.ts: `jwt.jwksUrl` must be an http or https URL",
    ],
    [
      { config: { jwt: { secret: undefined } } },
      "chanctl.config.ts: `jwt` needs `jwt.secret` or `jwt.jwksUrl`",
    ],
    [{ config: { jwt: { audience: "a" } } }, "chanctl.config.ts: `jwt.audience` needs `jwt.secret`"],
    [{ config: { jwt: { secret: "s", param: "a b" } } }, "chanctl.config.ts: `jwt.param` must be letters"],
    [{ config: { jwt: { secret: "s", param: "signed" } } }, "chanctl.config.ts: `jwt.param` must be letters"],
    ...[
      "ds",
      "/",
      "",
      "/channels",
      "/channels/ds",
      "/Channels",
      "/_chanctl",
      "/a/../b",
      "/a//b",
      "/a b",
      "/ä",
      "/..",
    ].map((path): [Given, string] => [
      { config: { durableStreams: { path } } },
      "chanctl.config.ts: `durableStreams.path` must be a path such as `/ds`",
    ]),
    [{ flags: { "durableStreams.path": "ds" } }, "`--ds-path` must be a path"],
    [{ env: { CHANCTL_DS: "maybe" } }, "the environment variable CHANCTL_DS must be true or false"],
    [{ flags: { "durableStreams.pollIntervalSecs": "0" } }, "`--ds-poll-interval` must be seconds above 0"],
    [{ flags: { "durableStreams.pollIntervalSecs": "10s" } }, "`--ds-poll-interval` must be seconds above 0"],
    [{ flags: { "durableStreams.sseTtlSecs": "-1" } }, "`--ds-sse-ttl` must be seconds above 0"],
    [
      { config: { durableStreams: { sseTtlSecs: Number.NaN } } },
      "chanctl.config.ts: `durableStreams.sseTtlSecs` must be",
    ],
    [{ config: { durableStreams: { paht: "/ds" } } }, "unknown key `durableStreams.paht`"],
    [{ config: { durableStreams: "on" } }, "`durableStreams` must be an object"],
  ])("%j", (given, message) => {
    expect(() => resolve(given)).toThrow(message);
  });

  it("an empty secret is an invalid config, wherever it comes from", () => {
    for (const given of [{ flags: { streamsSecret: "" } }, { env: { CHANCTL_JWT_SECRET: "" } }])
      expect(() => resolve(given)).toThrow(expect.objectContaining({ code: "config_invalid", exitCode: 3 }));
  });
});

describe("a server", () => {
  let cwd: string;
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), "chanctl-settings-"));
    await writeFile(join(cwd, "package.json"), "{}");
  });
  afterAll(() => rm(cwd, { recursive: true, force: true, maxRetries: 5 }));

  it.each([["dev", "--no-tls"], ["serve"]])(
    "`%s` takes the flags, and serves under the path",
    async (...command) => {
      const args = [
        ...command,
        "--port",
        "0",
        "--host",
        "127.0.0.1",
        "--json",
        "--ds-path",
        "/s",
        "--public-streams",
        "--public-writes",
      ];
      const more = [
        "--ds-poll-interval",
        "0.05",
        "--ds-sse-ttl",
        "2.5",
        "--streams-secret",
        "a",
        "--jwt-secret",
        "b",
        "--ds-skip-auth",
      ];
      await using cli = new RunningCli([...args, ...more], { cwd });
      await cli.until(({ lines }) => lines.length > 0);
      const { url } = JSON.parse(cli.lines[0] ?? "") as { url: string };
      const stream = `${url}/s/jobs/${command[0]}`;
      const created = await fetch(stream, { method: "PUT", headers: { "content-type": "text/plain" } });
      expect(created.status).toBe(201);
      const polled = await fetch(`${stream}?offset=now&live=long-poll`);
      expect(polled.status).toBe(204);
      expect((await fetch(`${url}/ds/jobs/${command[0]}`)).status).toBe(404);
    },
  );

  it.each(["dev", "serve"])("`%s` refuses an empty secret with exit 3, and says which", async (command) => {
    const args = [command, "--port", "0", "--host", "127.0.0.1"];
    const { code, stderr } = await runCli(args, { cwd, env: { CHANCTL_STREAMS_SECRET: "" } });
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr:
        'error: the environment variable CHANCTL_STREAMS_SECRET must be a secret that is not empty, got `""`\n' +
        '  fix: CHANCTL_STREAMS_SECRET="<secret>"\n',
    });
  });

  it("`serve --no-ds` serves none, and neither does `startServer({ durableStreams: false })`", async () => {
    const args = ["serve", "--no-ds", "--port", "0", "--host", "127.0.0.1", "--json"];
    await using cli = new RunningCli(args, { cwd });
    await cli.until(({ lines }) => lines.length > 0);
    const { url } = JSON.parse(cli.lines[0] ?? "") as { url: string };
    expect(await (await fetch(`${url}/ds/jobs/1`)).json()).toMatchObject({ code: "not_found" });
    await cli.end("SIGTERM");
    await using server = await startServer({ root: cwd, port: 0, durableStreams: false, env: {} });
    expect(await (await fetch(`${server.url}/ds/jobs/1`)).json()).toMatchObject({ code: "not_found" });
  });

  it("`startServer()` takes the keys of the config, and refuses an empty secret", async () => {
    await expect(startServer({ root: cwd, port: 0, streamsSecret: "", env: {} })).rejects.toMatchObject({
      code: "config_invalid",
    });
    const durableStreams = { path: "/x", publicStreams: true, publicWrites: true };
    await using server = await startServer({ root: cwd, port: 0, durableStreams, env: {} });
    expect((await fetch(`${server.url}/x/jobs/2`, { method: "PUT" })).status).toBe(201);
  });

  it("imports the library for JWTs only where JWTs are set", () => {
    const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
    const seen = new Set<string>();
    const follow = (module: string): void => {
      if (seen.has(module)) return;
      seen.add(module);
      if (!module.startsWith(dist)) return;
      for (const [, name = ""] of readFileSync(module, "utf8").matchAll(STATIC_IMPORT))
        follow(name.startsWith(".") ? join(dirname(module), name) : name);
    };
    for (const entry of [
      "cli.js",
      "commands/server/run-serve.js",
      "commands/token/run-token.js",
      "server.js",
    ])
      follow(join(dist, entry));
    expect(seen).toContain("undici"); // or nothing was followed
    expect(seen).not.toContain("jose");
  });
});

const STATIC_IMPORT = /^(?:import|export) (?:[^;"()]* from )?"([^"]+)";/gm;

import { describe, expect, it } from "vitest";

import { resolveOptions } from "#src/server/resolve-options.ts";
import type { ResolvedOptions } from "#src/server/resolve-options.ts";
import type { UserConfig } from "#src/server/user-config.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";

interface Given {
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly config?: unknown;
  readonly source?: string;
  readonly appCommand?: string;
}

function resolve({ flags = {}, env = {}, config, source = "", appCommand }: Given): ResolvedOptions {
  return resolveOptions({
    flags,
    env,
    config: config === undefined ? undefined : { path: "/shop/chanctl.config.ts", value: config, source },
    root: "/shop",
    cwd: "/shop/src",
    defaults: { appCommand },
  });
}

function refusalOf(given: Given): ChanctlError {
  try {
    resolve(given);
  } catch (error) {
    if (error instanceof ChanctlError) return error;
  }
  throw new Error("it was not refused");
}

describe("the order", () => {
  it("takes the flag, then the variable, then the config, then the default", () => {
    const config: UserConfig = { port: 3 };
    expect(resolve({ flags: { port: "1" }, env: { CHANCTL_PORT: "2" }, config }).port).toBe(1);
    expect(resolve({ env: { CHANCTL_PORT: "2" }, config }).port).toBe(2);
    expect(resolve({ config }).port).toBe(3);
    expect(resolve({}).port).toBe(4433);
  });

  it("counts an empty variable as unset", () => {
    expect(resolve({ env: { CHANCTL_PORT: "", CHANCTL_TOKEN: "" }, config: { port: 3 } })).toMatchObject({
      port: 3,
    });
    expect(resolve({ env: { CHANCTL_TOKEN: "" } })).not.toHaveProperty("token");
  });

  it("lets --app-url replace the config's command, and the other way round", () => {
    const appUrl = {
      flags: { "app.url": "http://127.0.0.1:3000" },
      config: { app: { command: "npm start" } },
    };
    expect(resolve(appUrl).app).toEqual({ url: "http://127.0.0.1:3000" });
    const app = { flags: { "app.command": "npm start" }, config: { app: { url: "http://127.0.0.1:3000" } } };
    expect(resolve(app).app).toEqual({ command: "npm start", port: 0 });
  });

  it("takes the detected command last, with the port that is given", () => {
    const detected = { appCommand: "npm run dev", flags: { "app.port": "3000" } };
    expect(resolve(detected).app).toEqual({ command: "npm run dev", port: 3000 });
    expect(resolve({ ...detected, config: { app: { command: "x" } } }).app).toEqual({
      command: "x",
      port: 3000,
    });
  });
});

describe("values", () => {
  it("fills the defaults", () => {
    expect(resolve({})).toEqual({
      root: "/shop",
      stateFolder: "/shop/.chanctl",
      channels: "/shop/channels",
      host: "127.0.0.1",
      port: 4433,
      internalHost: "127.0.0.1",
      allowedOrigins: [],
      authorizeRetryMs: 10_000,
      limits: DEFAULT_LIMITS,
      durableStreams: {
        path: "/ds",
        pollTimeoutMs: 10_000,
        sseTtlMs: 60_000,
        skipsAuthentication: false,
        publicStreams: false,
        publicWrites: false,
      },
      env: {},
    });
  });

  it("begins relative paths at the config's folder, or at the working directory for flags and variables", () => {
    expect(resolve({ config: { channels: "./live" } }).channels).toBe("/shop/live");
    expect(resolve({ env: { CHANCTL_CHANNELS: "./live" } }).channels).toBe("/shop/src/live");
    const tls = { flags: { "tls.cert": "c.pem" }, config: { tls: { cert: "x", key: "k.pem" } } };
    expect(resolve(tls).tls).toEqual({ certPath: "/shop/src/c.pem", keyPath: "/shop/k.pem" });
  });

  it("reads sizes and durations in texts, and bare numbers as bytes and ms", () => {
    const limits = { maxMessageBytes: "1MiB", authFrameWaitMs: "1.5s", maxPublishBytes: 2000 };
    expect(resolve({ config: { limits, authorizeRetryMs: "1m" } })).toMatchObject({
      authorizeRetryMs: 60_000,
      limits: { maxMessageBytes: 1_048_576, authFrameWaitMs: 1_500, maxPublishBytes: 2_000 },
    });
    expect(resolve({ env: { CHANCTL_LIMITS_MAX_MESSAGE_BYTES: "64kB" } }).limits.maxMessageBytes).toBe(
      64_000,
    );
  });

  it("reads origins with or without a slash at the end, as a list or between commas", () => {
    const origins = ["https://a.example", "http://b.example:8080"];
    expect(
      resolve({ config: { allowedOrigins: ["https://a.example/", origins[1]] } }).allowedOrigins,
    ).toEqual(origins);
    expect(resolve({ env: { CHANCTL_ALLOWED_ORIGINS: origins.join(", ") } }).allowedOrigins).toEqual(origins);
  });
});

describe.each(Object.keys(DEFAULT_LIMITS))("the limit %s", (name) => {
  const variable = `CHANCTL_LIMITS_${name.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`;
  const [good, bad] = name.endsWith("Ms")
    ? ["7s", "7 apples"]
    : name.endsWith("Bytes")
      ? ["7KiB", "big"]
      : ["7", "7.5"];
  const value = { "7s": 7_000, "7KiB": 7_168 }[good] ?? 7;

  it("is set by its key and by its variable", () => {
    expect(resolve({ config: { limits: { [name]: good } } }).limits).toEqual({
      ...DEFAULT_LIMITS,
      [name]: value,
    });
    expect(resolve({ config: { limits: { [name]: value } } }).limits).toEqual({
      ...DEFAULT_LIMITS,
      [name]: value,
    });
    expect(resolve({ env: { [variable]: good } }).limits).toEqual({ ...DEFAULT_LIMITS, [name]: value });
  });

  it.each([0, -1, 1.5, bad, true, null])(
    "is not %j: the error names where it was given, and what it must be",
    (given) => {
      const config = { limits: { [name]: given } };
      expect(() => resolve({ config, source: `x = {\n  ${name}: 0 }` })).toThrow(
        expect.objectContaining({
          code: "config_invalid",
          message: expect.stringMatching(
            `^chanctl.config.ts:2:3: \`limits.${name}\` must be a .+ above 0( and up to 24 h)?, got \``,
          ) as unknown,
        }),
      );
      if (given !== bad) return;
      expect(() => resolve({ env: { [variable]: bad } })).toThrow(
        expect.objectContaining({
          code: "config_invalid",
          message: expect.stringContaining(variable) as unknown,
        }),
      );
    },
  );
});

it.each(["authFrameWaitMs", "handshakeTimeoutMs"])("the limit %s is at most a day", (name) => {
  const longest = { [name]: 24 * 60 * 60_000 };
  expect(resolve({ config: { limits: longest } }).limits).toMatchObject(longest);
  expect(() => resolve({ config: { limits: { [name]: "25h" } } })).toThrow("up to 24 h");
});

describe("what does not fit", () => {
  const source = "export default {\n  ports: 1,\n  app: {\n    comand: 'x',\n  },\n};";

  it.each<[string, Given, string, string | undefined]>([
    [
      "an unknown key",
      { config: { ports: 1 }, source },
      "chanctl.config.ts:2:3: unknown key `ports`",
      "did you mean `port`?",
    ],
    [
      "an unknown nested key",
      { config: { app: { comand: "x" } }, source },
      "chanctl.config.ts:4:5: unknown key `app.comand`",
      "did you mean `app.command`?",
    ],
    [
      "a section whose name is a slip",
      { config: { limit: { maxMessageBytes: 1 } } },
      "chanctl.config.ts: unknown key `limit`",
      "did you mean `limits`?",
    ],
    [
      "a section whose name lacks its end",
      { config: { durableStream: { enabled: true } } },
      "chanctl.config.ts: unknown key `durableStream`",
      "did you mean `durableStreams`?",
    ],
    [
      "a key in the wrong place",
      { config: { command: "x" } },
      "chanctl.config.ts: unknown key `command`",
      "did you mean `app.command`?",
    ],
    [
      "a limit in the wrong place",
      { config: { maxMessageBytes: 1 } },
      "chanctl.config.ts: unknown key `maxMessageBytes`",
      "did you mean `limits.maxMessageBytes`?",
    ],
    [
      "a text for the app",
      { config: { app: "npm start" } },
      'chanctl.config.ts: `app` must be an object, got `"npm start"`',
      'app: { command: "npm run start" }',
    ],
    [
      "a config that is none",
      { config: [] },
      "chanctl.config.ts: the config must be an object, got `[]`",
      "export default defineConfig({ port: 4433 });",
    ],
    [
      "a port out of bounds",
      { config: { port: 70_000 }, source: "x = { port: 70000 }" },
      "chanctl.config.ts:1:7: `port` must be a port from 0 to 65535, got `70000`",
      "port: 4433",
    ],
    [
      "a value that a flag hides",
      { config: { port: "abc" }, flags: { port: "0" } },
      'chanctl.config.ts: `port` must be a port from 0 to 65535, got `"abc"`',
      "port: 4433",
    ],
    [
      "an unknown key that is like no other, with those beside it alone",
      { config: { limits: {}, jwt: { zzz: 1 } }, source: "x = { limits: {}, jwt: { zzz: 1 } }" },
      "chanctl.config.ts:1:26: unknown key `jwt.zzz`",
      "the keys are secret, jwksUrl, algorithms, audience, issuer, param",
    ],
    [
      "a variable that is no port",
      { env: { CHANCTL_APP_PORT: "x" }, appCommand: "a" },
      "the environment variable CHANCTL_APP_PORT must be a port from 0 to 65535, got `x`",
      "CHANCTL_APP_PORT=0",
    ],
    [
      "an origin with a path",
      { config: { allowedOrigins: ["https://a.example/x"] } },
      'chanctl.config.ts: `allowedOrigins` must be a list of origins, such as `https://app.example`, got `"https://a.example/x"`',
      'allowedOrigins: ["https://app.example"]',
    ],
    [
      "a limit of nothing",
      { config: { limits: { maxConnections: 0 } } },
      "chanctl.config.ts: `limits.maxConnections` must be a whole number above 0, got `0`",
      `maxConnections: ${DEFAULT_LIMITS.maxConnections}`,
    ],
    [
      "command and url in one place",
      { config: { app: { command: "a", url: "http://b" } } },
      "chanctl.config.ts: `app.command` and `app.url` exclude each other",
      "give the command of an app to start, or the URL of one that runs already",
    ],
  ])("names %s, its place and the fix", (_, given, message, hint) => {
    const error = refusalOf(given);
    expect(error).toMatchObject({ code: "config_invalid", hint });
    expect(error.message.split("\n\n")[0]).toBe(message);
  });

  it("shows the lines around a key, but no secret on them", () => {
    const text = 'export default {\n  jwt: { secret: "hunter2" },\n  port: 70000,\n};';
    expect(refusalOf({ config: { port: 70_000 }, source: text }).message.split("\n\n")[1]).toBe(
      [
        "  1 | export default {",
        '  2 |   jwt: { secret: "*******" },',
        "> 3 |   port: 70000,",
        "    |   ^^^^",
        "  4 | };",
      ].join("\n"),
    );
  });

  it("is told of all at once, in the order of the file, with the fix of each", () => {
    const text = "export default {\n  app: { port: 'x',\n    comand: 'a' },\n  prot: 1,\n};";
    const error = refusalOf({ config: { app: { port: "x", comand: "a" }, prot: 1 }, source: text });
    expect(error.message.split("\n\n")).toEqual([
      'chanctl.config.ts:2:10: `app.port` must be a port from 0 to 65535, got `"x"`',
      "> 2 |   app: { port: 'x',\n    |          ^^^^",
      "chanctl.config.ts:3:5: unknown key `app.comand`",
      "> 3 |     comand: 'a' },\n    |     ^^^^^^",
      "chanctl.config.ts:4:3: unknown key `prot`",
      "> 4 |   prot: 1,\n    |   ^^^^",
    ]);
    expect(error.hint?.split("\n").map((line) => line.split(/ {4,}/))).toEqual([
      ["port: 0", "for `app.port`"],
      ["did you mean `app.command`?", "for `app.comand`"],
      ["did you mean `port`?", "for `prot`"],
    ]);
  });

  it("is told of last where the text does not show where it is", () => {
    const error = refusalOf({ config: { prot: 1, host: 1 }, source: "x = { ...rest, host: 1 }" });
    expect(error.message.split("\n\n").filter((part) => part.startsWith("chanctl"))).toEqual([
      expect.stringMatching(/^chanctl\.config\.ts:1:16: `host` must be /),
      "chanctl.config.ts: unknown key `prot`",
    ]);
  });

  it("is a usage error where a flag does not fit", () => {
    const message = "`--internal-port` must be a port from 0 to 65535, got `-1`";
    expect(() => resolve({ flags: { internalPort: "-1" } })).toThrow(
      expect.objectContaining({ code: "usage", message, hint: "--internal-port 0" }),
    );
  });
});

describe("`allowedHosts`", () => {
  it.each([
    ["*.wild.test", "`.wild.test` stands for itself and all below it"],
    ["https://shop.test:3000/a", "the name alone: `shop.test`"],
    ["shop.test:3000", "the name alone: `shop.test`"],
    ["a b", 'allowedHosts: ["shop.test"]'],
    [7, 'allowedHosts: ["shop.test"]'],
  ])("names the one that is no name, and what was meant: %j", (name, hint) => {
    const read = () => resolve({ config: { allowedHosts: ["a.test", ".b.test", name, "c.test"] } });
    const message = expect.stringMatching(
      /^chanctl\.config\.ts: `allowedHosts` must be a list of host names/,
    );
    expect(read).toThrow(expect.objectContaining({ hint, message }));
    expect(read).toThrow(`, got \`${JSON.stringify(name)}\``);
  });

  it("is a list of names, or a text with commas, and none where nothing gives it", () => {
    const names = [" Shop.test ", ".bücher.test", "a_b.local."];
    expect(resolve({ config: { allowedHosts: names } }).allowedHosts).toEqual([
      "shop.test",
      ".xn--bcher-kva.test",
      "a_b.local",
    ]);
    expect(resolve({ env: { CHANCTL_ALLOWED_HOSTS: "a.test,.b.test" } }).allowedHosts).toEqual([
      "a.test",
      ".b.test",
    ]);
    expect(resolve({})).not.toHaveProperty("allowedHosts");
  });

  it.each(["https://shop.test", "shop.test:4433", "*.shop.test", "", ".", "a..b", "-a.test", 7])(
    "refuses %j, with what a name is",
    (name) => {
      expect(() => resolve({ config: { allowedHosts: [name] } })).toThrow(
        /^chanctl\.config\.ts: `allowedHosts` must be a list of host names, such as `shop\.test`/,
      );
    },
  );
});

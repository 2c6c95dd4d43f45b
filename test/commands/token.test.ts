import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createText, startStreamServer } from "../support/stream-server.ts";
import { runCli } from "./cli.ts";

let cwd: string;
let configured: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "chanctl-token-"));
  configured = await mkdtemp(join(tmpdir(), "chanctl-token-"));
  const jwt = { secret: "config jwt", audience: "shop", issuer: "us" };
  const config = JSON.stringify({ streamsSecret: "s3cret", jwt });
  await writeFile(join(configured, "chanctl.config.json"), config);
});
afterAll(async () => {
  for (const folder of [cwd, configured]) await rm(folder, { recursive: true, force: true });
});

async function token(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Promise<string> {
  const { code, stdout, stderr } = await runCli(["token", ...args], options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^\S+\n$/); // the token alone
  return stdout.trim();
}

describe("chanctl token stream", () => {
  it.each([
    ["chat/1", "ImNoYXQvMSI=--7e59ca06d6e53f272b50bc22ab3f3f4dbe2202f59c26ba92a1c6921ccf3ba591"],
    ["чат/ü", "ItGH0LDRgi/DvCI=--83e339af76927b6c31694e7d83335ea35e753b1baa23aec00bad278839d6b41c"],
  ])("signs %s as AnyCable does, with the secret from each place", async (name, expected) => {
    expect(await token(["stream", name, "--secret", "s3cret"], { cwd })).toBe(expected);
    expect(await token(["stream", name], { cwd, env: { CHANCTL_STREAMS_SECRET: "s3cret" } })).toBe(expected);
    expect(await token(["stream", name], { cwd: configured })).toBe(expected);
  });

  it("makes what a server with the same secret takes, for this stream alone", async () => {
    await using server = await startStreamServer({ streamsSecret: "s3cret" });
    for (const name of ["jobs/1", "jobs/2"]) await createText(server, name);
    const headers = { "x-signed": await token(["stream", "jobs/1"], { cwd: configured }) };
    expect((await fetch(server.streamUrl("jobs/1"), { headers })).status).toBe(200);
    expect((await fetch(server.streamUrl("jobs/2"), { headers })).status).toBe(403);
  });
});

describe("chanctl token jwt", () => {
  it("makes what a server with the same secret takes, and says what it allows", async () => {
    const jwt = { key: "config jwt", algorithms: ["HS256"], audience: "shop", issuer: "us" } as const;
    await using server = await startStreamServer({ jwt });
    await createText(server, "jobs/1");
    const args = ["jwt", "--subject", "u1", "--stream", "jobs/*:read,append", "--expires", "10m"];
    const made = await token(args, { cwd: configured });
    const { sub, aud, iss, exp = 0, iat = 0, streams } = decodeJwt(made);
    expect({ sub, aud, iss, streams }).toEqual({
      sub: "u1",
      aud: "shop",
      iss: "us",
      streams: [{ path: "jobs/*", operations: ["read", "append"] }],
    });
    expect(Math.abs(exp - iat - 600)).toBeLessThanOrEqual(1);
    const url = server.streamUrl("jobs/1");
    const headers = { authorization: `Bearer ${made}` };
    expect((await fetch(url, { headers })).status).toBe(200);
    expect((await fetch(url, { method: "DELETE", headers })).status).toBe(403);
  });

  it("takes the secret from the flag, then the environment, then the config; audience and issuer likewise", async () => {
    const env = { CHANCTL_JWT_SECRET: "b" };
    const { aud } = decodeJwt(await token(["jwt", "--audience", "other"], { cwd: configured, env }));
    expect(aud).toBe("other");
    const server = async (key: string, made: string): Promise<number> => {
      await using one = await startStreamServer({
        streams: { publicStreams: true },
        jwt: { key, algorithms: ["HS256"] },
      });
      await createText(one, "jobs/1");
      return (await fetch(one.streamUrl("jobs/1"), { headers: { "x-jid": made } })).status;
    };
    expect(await server("a", await token(["jwt", "--secret", "a"], { cwd: configured, env }))).toBe(200);
    expect(await server("b", await token(["jwt"], { cwd: configured, env }))).toBe(200);
    expect(await server("config jwt", await token(["jwt"], { cwd: configured }))).toBe(200);
  });
});

describe("chanctl token", () => {
  it.each<[string[], Record<string, string>, number, string, string | undefined]>([
    [["jwt"], {}, 3, "there is no secret to sign a JWT with", "chanctl token jwt --secret <secret>"],
    [
      ["stream", "a"],
      {},
      3,
      "there is no secret to sign a stream's name with",
      "chanctl token stream <name> --secret <secret>",
    ],
    [["jwt", "--secret", ""], {}, 3, "`--secret` must be a secret that is not empty", "--secret <secret>"],
    [
      ["stream", "a", "--secret", ""],
      {},
      3,
      "`--secret` must be a secret that is not empty",
      "--secret <secret>",
    ],
    [
      ["jwt"],
      { CHANCTL_JWT_SECRET: "" },
      3,
      'the environment variable CHANCTL_JWT_SECRET must be a secret that is not empty, got `""`',
      'CHANCTL_JWT_SECRET="<secret>"',
    ],
    [
      ["jwt"],
      { CHANCTL_JWT_JWKS_URL: "https://id.example" },
      3,
      "the JWTs of `jwt.jwksUrl` are signed by whoever has its keys",
      "get a token there",
    ],
    [
      ["jwt", "--secret", "s", "--stream", "jobs/*:raed"],
      {},
      2,
      "what `--stream` allows must be create, read, append, close, delete or subscribe, got `raed`",
      "did you mean read?",
    ],
    [
      ["jwt", "--secret", "s", "--stream", "jobs/*:everything"],
      {},
      2,
      "what `--stream` allows must be create, read, append, close, delete or subscribe, got `everything`",
      "--stream 'jobs/*:read'",
    ],
    [
      ["jwt", "--secret", "s", "--stream", "jobs/*"],
      {},
      2,
      "`--stream` must be a pattern and what is allowed there, got `jobs/*`",
      "--stream 'jobs/*:read'",
    ],
    [
      ["jwt", "--secret", "s", "--stream", "/jobs:read"],
      {},
      2,
      "`--stream`: the stream's path must not have the segment ``",
      "write it as below the mount",
    ],
    [
      ["jwt", "--secret", "s", "--expires", "soon"],
      {},
      2,
      "`--expires` must be a duration of 1 s or more, such as `1h`, got `soon`",
      "--expires 1h     or 90s, 10m, 7d",
    ],
    [
      ["jwt", "--secret", "s", "--subject", ""],
      {},
      2,
      "`--subject` must be a text that is not empty",
      "--subject u1     or leave it out",
    ],
    [
      ["stream", "a/../b", "--secret", "s"],
      {},
      2,
      "`<name>`: the stream's path must not have the segment `..`",
      "write it as below the mount",
    ],
    [["stream"], {}, 2, "missing required argument `name`", "chanctl token stream --help"],
    [["jtw"], {}, 2, "unknown command `jtw`", "did you mean `jwt`?"],
  ])("%j with %j ends with %d, what is wrong and a fix", async (args, env, exit, message, fix) => {
    const { code, stdout, stderr } = await runCli(["token", ...args], { cwd, env });
    expect({ code, stdout }).toEqual({ code: exit, stdout: "" });
    const [first, second] = stderr.split("\n");
    expect(first).toBe(`error: ${message}`);
    expect(second).toContain(`  fix: ${fix}`);
  });
});

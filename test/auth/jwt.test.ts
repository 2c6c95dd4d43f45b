import { createHmac, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { KEY_SET_ALGORITHMS, SECRET_ALGORITHMS } from "#src/auth/jwt-options.ts";
import type { JwtOptions } from "#src/auth/jwt-options.ts";
import { JwtVerifier } from "#src/auth/jwt.ts";
import { signJwt } from "#src/auth/sign-jwt.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { startFixtureApp } from "../support/fixture-app.ts";

const SECRET = "the secret of these tests";
const HOUR_SECS = 3_600;
const nowSecs = (): number => Math.floor(Date.now() / 1_000);

function withSecret(options: Partial<JwtOptions> = {}): Promise<JwtVerifier> {
  return JwtVerifier.open({ key: SECRET, algorithms: SECRET_ALGORITHMS, ...options });
}

function sign(claims: Record<string, unknown>, { alg = "HS256", secret = SECRET } = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret));
}

describe("a token of a secret", () => {
  it("says who it speaks for, until when, and what it allows", async () => {
    const exp = nowSecs() + HOUR_SECS;
    const streams = [{ path: "jobs/*", operations: ["read"] }];
    const identity = await (await withSecret()).verify(await sign({ sub: "u1", exp, streams }));
    expect(identity).toEqual({
      subject: "u1",
      expiresAt: exp * 1_000,
      streams: [{ path: "jobs/*", operations: new Set(["read"]) }],
    });
  });

  it.each([
    ["`sub`", { sub: "u1", ext: "u2" }, "u1"],
    ["else AnyCable's `ext`", { ext: '{"user":7}' }, '{"user":7}'],
    ["nobody for an `ext` that is no text", { ext: { user: 7 } }, undefined],
    ["nobody for empty ones", { sub: "", ext: "" }, undefined],
  ])("speaks for %s", async (_, claims, subject) => {
    expect((await (await withSecret()).verify(await sign(claims))).subject).toBe(subject);
  });

  it.each<[string, () => Promise<string>, Partial<JwtOptions>, string]>([
    ["has expired", () => sign({ exp: nowSecs() - 1 }), {}, "token_expired"],
    ["is not good yet", () => sign({ nbf: nowSecs() + HOUR_SECS }), {}, "token_invalid"],
    ["has an `exp` that is no number", () => sign({ exp: "never" }), {}, "token_invalid"],
    ["was signed with another secret", () => sign({}, { secret: "other" }), {}, "token_invalid"],
    ["was signed with another algorithm", () => signWithHs512(), {}, "token_invalid"],
    ["is for another audience", () => sign({ aud: "b" }), { audience: "a" }, "token_invalid"],
    ["is for no audience", () => sign({}), { audience: "a" }, "token_invalid"],
    ["is from another issuer", () => sign({ iss: "b" }), { issuer: "a" }, "token_invalid"],
    ["is from nobody", () => sign({}), { issuer: "a" }, "token_invalid"],
    ["is no token", async () => "abc", {}, "token_invalid"],
    ["is signed with nothing", async () => unsigned(), {}, "token_invalid"],
  ])("that %s is refused", async (_, make, options, code) => {
    const verifier = await withSecret(options);
    await expect(verifier.verify(await make())).rejects.toMatchObject({ code, status: 401 });
  });

  it("that `signJwt` made is taken, audience and issuer too", async () => {
    const content = {
      subject: "u1",
      streams: [],
      expiresAt: Date.now() + 60_000,
      audience: "a",
      issuer: "i",
    };
    const verifier = await withSecret({ audience: "a", issuer: "i" });
    expect((await verifier.verify(await signJwt(content, SECRET))).subject).toBe("u1");
  });
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** With our secret: nothing but the algorithm is wrong. */
async function signWithHs512(): Promise<string> {
  const signed = `${part({ alg: "HS512" })}.${part({ sub: "u1" })}`;
  return `${signed}.${createHmac("sha512", SECRET).update(signed).digest("base64url")}`;
}

function unsigned(): string {
  return `${part({ alg: "none" })}.${part({ sub: "admin" })}.`;
}

describe("a token of a key set", () => {
  it.each([
    ["RS256", () => generateKeyPairSync("rsa", { modulusLength: 2_048 })],
    ["ES256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
    ["EdDSA", () => generateKeyPairSync("ed25519")],
  ])("of %s is taken, and one that claims another key is not", async (alg, generate) => {
    const { publicKey, privateKey } = generate();
    await using set = await startKeySet();
    await set.publish(publicKey, "k1");
    const verifier = await openVerifier(set.url);
    expect((await verifier.verify(await signWith(privateKey, { alg, kid: "k1" }))).subject).toBe("u1");
    const stranger = generate().privateKey;
    await expect(verifier.verify(await signWith(stranger, { alg, kid: "k1" }))).rejects.toMatchObject({
      code: "token_invalid",
    });
    await expect(verifier.verify(await signWith(privateKey, { alg, kid: "k2" }))).rejects.toMatchObject({
      code: "token_invalid",
    });
  });

  it("is never verified with a public key as if that were a secret", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    await using set = await startKeySet();
    await set.publish(publicKey, "k1");
    const verifier = await openVerifier(set.url);
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const signed = `${part({ alg: "HS256", kid: "k1" })}.${part({ sub: "admin" })}`;
    const forged = `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
    await expect(verifier.verify(forged)).rejects.toMatchObject({ code: "token_invalid" });
  });

  it("is verified with the keys loaded once, and with a new key once there is one", async () => {
    const [first, second] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
    await using set = await startKeySet();
    await set.publish(first.publicKey, "k1");
    const verifier = await openVerifier(set.url);
    const token = await signWith(first.privateKey, { alg: "EdDSA", kid: "k1" });
    await Promise.all([verifier.verify(token), verifier.verify(token), verifier.verify(token)]);
    await verifier.verify(token);
    expect(set.loads).toBe(1);
    await set.publish(second.publicKey, "k2");
    const rotated = await verifier.verify(await signWith(second.privateKey, { alg: "EdDSA", kid: "k2" }));
    expect(rotated.subject).toBe("u1");
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "token_invalid" });
  });

  it("is neither good nor bad while the keys cannot be loaded, and is taken when they can", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const port = await pickFreePort();
    const verifier = await openVerifier(new URL(`http://127.0.0.1:${port}/jwks.json`));
    const token = await signWith(privateKey, { alg: "EdDSA", kid: "k1" });
    const unavailable = { code: "keys_unavailable", status: 503 };
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    await using set = await startKeySet(port);
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable); // answers 404 so far
    set.answer = "{}";
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    set.answer = "not JSON";
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    await set.publish(publicKey, "k1");
    expect((await verifier.verify(token)).subject).toBe("u1");
  });
});

function openVerifier(key: URL): Promise<JwtVerifier> {
  return JwtVerifier.open({ key, algorithms: KEY_SET_ALGORITHMS, keySetCooldownMs: 0 });
}

function signWith(key: KeyObject, header: { alg: string; kid: string }): Promise<string> {
  return new SignJWT({ sub: "u1" }).setProtectedHeader(header).sign(key);
}

interface KeySet extends AsyncDisposable {
  readonly url: URL;
  readonly loads: number;
  answer: string | undefined;
  /** Replaces the set by one of this key alone. */
  publish(key: KeyObject, kid: string): Promise<void>;
}

async function startKeySet(port?: number): Promise<KeySet> {
  const set = { answer: undefined as string | undefined, loads: 0 };
  const app = await startFixtureApp((_request, response) => {
    set.loads += 1;
    if (set.answer === undefined) response.writeHead(404).end();
    else response.setHeader("content-type", "application/json").end(set.answer);
  }, port);
  return {
    url: new URL(`${app.url}/jwks.json`),
    get loads() {
      return set.loads;
    },
    get answer() {
      return set.answer;
    },
    set answer(text) {
      set.answer = text;
    },
    publish: async (key, kid) => {
      set.answer = JSON.stringify({ keys: [{ ...(await exportJWK(key)), kid }] });
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

import { generateKeyPairSync } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadAuthority } from "#src/certs/authority.ts";
import { readCertificatePair } from "#src/certs/certificate-pair.ts";
import { makeLeaf } from "#src/certs/make-leaf.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { temporaryHome } from "./temporary-home.ts";

const DAY_MS = 86_400_000;

/** Takes out the first line of the first block. */
const cut = (pem: string) => pem.replace(/(-----\n)[^\n]+\n/, "$1");

/** A folder with a certificate and its key, as an operator would have them. */
async function setUp() {
  const folder = await temporaryHome();
  const authority = (await loadAuthority({ home: folder, now: Date.now() })).pair;
  const hosts = ["shop.test", "*.shop.test", "10.0.0.1"];
  const leaf = await makeLeaf({ commonName: "shop.test", hosts, authority, now: Date.now() });
  const certPath = join(folder, "cert.pem");
  const keyPath = join(folder, "key.pem");
  await writeFile(certPath, leaf.chainPem);
  await writeFile(keyPath, leaf.keyPem);
  return { folder, certPath, keyPath, leaf, hosts };
}

async function errorOf(promise: Promise<unknown>): Promise<{ message: string; hint: string | undefined }> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ChanctlError)) throw new Error(`expected a ChanctlError, got ${String(error)}`);
  expect(error.code).toBe("certificate_invalid");
  return { message: error.message, hint: error.hint };
}

describe("readCertificatePair", () => {
  it("gives the chain, the key, the hosts and the end", async () => {
    const { certPath, keyPath, leaf, hosts } = await setUp();
    const pair = await readCertificatePair({ certPath, keyPath });
    expect(pair).toMatchObject({ certPem: leaf.chainPem, keyPem: leaf.keyPem, hosts });
    expect(pair.validTo).toBeGreaterThan(Date.now() + 395 * DAY_MS);
  });

  it("takes one file for both, and text between the blocks", async () => {
    const { folder, leaf } = await setUp();
    const path = join(folder, "both.pem");
    await writeFile(path, `the key\r\n${leaf.keyPem}subject=CN = shop\n${leaf.chainPem}`);
    const pair = await readCertificatePair({ certPath: path, keyPath: path });
    expect(pair).toMatchObject({ certPem: leaf.chainPem, keyPem: leaf.keyPem });
  });

  it("names the file that is missing, and its flag", async () => {
    const { folder, certPath, keyPath } = await setUp();
    const missing = join(folder, "missing.pem");
    expect(await errorOf(readCertificatePair({ certPath: missing, keyPath }))).toMatchObject({
      message: `\`--cert\`: there is no file ${missing}`,
      hint: expect.stringContaining("--cert <file>"),
    });
    expect(await errorOf(readCertificatePair({ certPath, keyPath: missing }))).toMatchObject({
      message: `\`--key\`: there is no file ${missing}`,
      hint: expect.stringContaining("--key <file>"),
    });
  });

  it("says why a file cannot be read", async () => {
    const { folder, keyPath } = await setUp();
    await mkdir(join(folder, "folder"));
    const certPath = join(folder, "folder");
    expect(await errorOf(readCertificatePair({ certPath, keyPath }))).toMatchObject({
      message: `\`--cert\`: ${certPath} cannot be read (EISDIR)`,
      hint: expect.stringContaining(`ls -l "${certPath}"`),
    });
  });

  it("tells what each unusable file lacks", async () => {
    const { certPath, keyPath, leaf } = await setUp();
    const another = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const locked = another.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    const lockedAsOfOld = another.export({
      type: "sec1",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    const cases = [
      {
        cert: "DER",
        message: /--cert`: .*cert\.pem holds no `-----BEGIN CERTIFICATE-----`/,
        hint: /-inform der/,
      },
      {
        cert: leaf.keyPem,
        message: /cert\.pem holds no `-----BEGIN CERTIFICATE-----`/,
        hint: /openssl x509/,
      },
      {
        cert: cut(leaf.chainPem),
        message: /cert\.pem holds a certificate that cannot be decoded/,
        hint: /again/,
      },
      {
        key: leaf.chainPem,
        message: /--key`: .*key\.pem holds no `-----BEGIN PRIVATE KEY-----`/,
        hint: /pkey/,
      },
      {
        key: cut(leaf.keyPem),
        message: /key\.pem holds a private key that cannot be decoded/,
        hint: /again/,
      },
      { key: locked, message: /key\.pem holds a private key that is locked/, hint: /openssl pkey -in/ },
      {
        key: lockedAsOfOld,
        message: /key\.pem holds a private key that is locked/,
        hint: /openssl pkey -in/,
      },
      {
        key: another.export({ type: "pkcs8", format: "pem" }),
        message: /key\.pem holds the private key of another certificate/,
        hint: /cert\.pem was issued for/,
      },
    ];
    for (const { cert = leaf.chainPem, key = leaf.keyPem, message, hint } of cases) {
      await writeFile(certPath, cert);
      await writeFile(keyPath, key);
      const error = await errorOf(readCertificatePair({ certPath, keyPath }));
      expect(error.message).toMatch(message);
      expect(error.hint).toMatch(hint);
    }
  });

  it("refuses a certificate before its start and after its end", async () => {
    const { certPath, keyPath } = await setUp();
    const at = (days: number) =>
      readCertificatePair({ certPath, keyPath, now: () => Date.now() + days * DAY_MS });
    expect((await errorOf(at(400))).message).toMatch(/cert\.pem expired on .* GMT/);
    expect((await errorOf(at(-2))).message).toMatch(/cert\.pem is not valid before .* GMT/);
  });
});

import { X509Certificate } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadAuthority } from "#src/certs/authority.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { openssl, requireOpenssl } from "./openssl.ts";
import { temporaryHome } from "./temporary-home.ts";

const DAY_MS = 86_400_000;

async function errorOf(promise: Promise<unknown>): Promise<ChanctlError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ChanctlError)) throw new Error(`expected a ChanctlError, got ${String(error)}`);
  expect(error.code).toBe("certificate_invalid");
  return error;
}

describe("the authority that is made", () => {
  it("says what a hardened CA must say", async (context) => {
    await requireOpenssl(context);
    const { certPath } = await loadAuthority({ home: await temporaryHome(), now: Date.now() });
    const text = (await openssl("x509", "-in", certPath, "-noout", "-text")).replaceAll(/\s*\n\s*/g, "\n");
    expect(text).toMatch(/Subject: CN ?= ?chanctl local CA [0-9a-f]{8}, O ?= ?chanctl\n/);
    expect(text).toContain("X509v3 Basic Constraints: critical\nCA:TRUE, pathlen:0\n");
    expect(text).toContain("X509v3 Key Usage: critical\nCertificate Sign, CRL Sign\n");
    expect(text).toContain("X509v3 Subject Key Identifier:");
    expect(text).toContain("X509v3 Authority Key Identifier:");
    expect(text).toContain(
      [
        "X509v3 Name Constraints: critical",
        "Permitted:",
        "DNS:localhost",
        "DNS:test",
        "DNS:local",
        "IP:127.0.0.0/255.0.0.0",
        "IP:10.0.0.0/255.0.0.0",
        "IP:172.16.0.0/255.240.0.0",
        "IP:192.168.0.0/255.255.0.0",
        "IP:169.254.0.0/255.255.0.0",
        "IP:0:0:0:0:0:0:0:1/FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
        "IP:FC00:0:0:0:0:0:0:0/FE00:0:0:0:0:0:0:0",
        "IP:FE80:0:0:0:0:0:0:0/FFC0:0:0:0:0:0:0:0",
        "X509v3",
      ].join("\n"),
    );
  });

  it("has a serial number and a name of its own, and began a day ago", async () => {
    const now = Date.now();
    const made = await Promise.all(
      [1, 2].map(async () => (await loadAuthority({ home: await temporaryHome(), now })).pair.certificate),
    );
    expect(new Set(made.map((certificate) => certificate.serialNumber)).size).toBe(2);
    expect(new Set(made.map((certificate) => certificate.subject)).size).toBe(2);
    for (const certificate of made) {
      expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
      expect(Math.abs(Date.parse(certificate.validFrom) - (now - DAY_MS))).toBeLessThan(2_000);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
    }
  });
});

describe("the authority on disk", () => {
  it("is made once, for the user's eyes only", async () => {
    const home = await temporaryHome();
    const first = await loadAuthority({ home, now: Date.now() });
    const second = await loadAuthority({ home, now: Date.now() });
    expect(first.isNew).toBe(true);
    expect(second.isNew).toBe(false);
    expect(second.pair.chainPem).toBe(first.pair.chainPem);
    expect(await readFile(first.certPath, "utf8")).toBe(first.pair.chainPem);
    expect((await readdir(home)).sort()).toEqual(["ca-key.pem", "ca.pem"]);
    if (process.platform === "win32") return;
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    for (const file of await readdir(home)) expect((await stat(join(home, file))).mode & 0o777).toBe(0o600);
  });

  it("writes ca.pem again where only that is missing", async () => {
    const home = await temporaryHome();
    const first = await loadAuthority({ home, now: Date.now() });
    await rm(first.certPath);
    const second = await loadAuthority({ home, now: Date.now() });
    expect(second.isNew).toBe(false);
    expect(await readFile(first.certPath, "utf8")).toBe(first.pair.chainPem);
  });

  it.each([
    [
      "ca-key.pem is empty",
      "ca-key.pem",
      () => "",
      /ca-key\.pem holds no `-----BEGIN CERTIFICATE-----` block/,
    ],
    [
      "the certificate in it is cut",
      "ca-key.pem",
      (text: string) => text.replace(/(BEGIN CERTIFICATE-----\n)[^\n]+\n/, "$1"),
      /ca-key\.pem holds a certificate that cannot be decoded/,
    ],
    [
      "the key in it is cut",
      "ca-key.pem",
      (text: string) => text.replace(/(BEGIN PRIVATE KEY-----\n)[^\n]+\n/, "$1"),
      /ca-key\.pem holds a private key that cannot be decoded/,
    ],
    [
      "ca.pem is damaged",
      "ca.pem",
      () => "scribble",
      /ca\.pem is not the certificate that is in .*ca-key\.pem/,
    ],
  ])("is refused, never replaced, where %s", async (_, file, damage, message) => {
    const home = await temporaryHome();
    await loadAuthority({ home, now: Date.now() });
    const path = join(home, file);
    const damaged = damage(await readFile(path, "utf8"));
    await writeFile(path, damaged);
    const error = await errorOf(loadAuthority({ home, now: Date.now() }));
    expect(error.message).toMatch(message);
    expect(error.hint).toContain(`"${path}"`);
    expect(await readFile(path, "utf8")).toBe(damaged);
  });

  it("is refused where the key file is gone and ca.pem may be trusted already", async () => {
    const home = await temporaryHome();
    const { certPath } = await loadAuthority({ home, now: Date.now() });
    await rm(join(home, "ca-key.pem"));
    const error = await errorOf(loadAuthority({ home, now: Date.now() }));
    expect(error.message).toMatch(/ca-key\.pem is missing/);
    expect(error.hint).toContain(`rm -f "${certPath}"`);
  });

  it("is refused where ca.pem is another authority's", async () => {
    const [home, otherHome] = [await temporaryHome(), await temporaryHome()];
    const { certPath } = await loadAuthority({ home, now: Date.now() });
    const other = await loadAuthority({ home: otherHome, now: Date.now() });
    await writeFile(certPath, other.pair.chainPem);
    const error = await errorOf(loadAuthority({ home, now: Date.now() }));
    expect(error.hint).toContain(`rm "${certPath}"`);
  });

  it("is refused where it holds a leaf", async () => {
    const home = await temporaryHome();
    const { pair } = await loadAuthority({ home, now: Date.now() });
    const { makeLeaf } = await import("#src/certs/make-leaf.ts");
    const leaf = await makeLeaf({ commonName: "x", hosts: ["localhost"], authority: pair, now: Date.now() });
    await writeFile(join(home, "ca-key.pem"), leaf.chainPem + leaf.keyPem);
    expect((await errorOf(loadAuthority({ home, now: Date.now() }))).message).toMatch(/no CA/);
  });

  it("is refused after its end and before its start", async () => {
    const home = await temporaryHome();
    await loadAuthority({ home, now: Date.now() });
    const ended = await errorOf(loadAuthority({ home, now: Date.now() + 3_651 * DAY_MS }));
    expect(ended.message).toMatch(/ca-key\.pem expired on /);
    expect(ended.hint).toMatch(/chanctl trust --uninstall[^]*rm -f /);
    const early = await errorOf(loadAuthority({ home, now: Date.now() - 2 * DAY_MS }));
    expect(early.message).toMatch(/ca-key\.pem is not valid before /);
    expect(early.hint).toContain("clock");
  });

  it("names the folder that cannot be used", async () => {
    const home = await temporaryHome();
    await mkdir(join(home, ".."), { recursive: true });
    await writeFile(home, "a file, not a folder");
    const error = await errorOf(loadAuthority({ home, now: Date.now() }));
    expect(error.message).toContain(home);
    expect(error.hint).toContain("CHANCTL_HOME");
  });

  it("is the CA of its own certificate file", async () => {
    const { certPath } = await loadAuthority({ home: await temporaryHome(), now: Date.now() });
    expect(new X509Certificate(await readFile(certPath)).ca).toBe(true);
  });
});

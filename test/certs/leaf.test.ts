import { X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadAuthority } from "#src/certs/authority.ts";
import { loadLeaf } from "#src/certs/leaf.ts";
import { openssl, requireOpenssl } from "./openssl.ts";
import { temporaryHome } from "./temporary-home.ts";

const DAY_MS = 86_400_000;
const HOSTS = ["localhost", "127.0.0.1", "::1", "shop.localhost", "*.shop.localhost"];

async function setUp() {
  const home = await temporaryHome();
  const path = join(home, "leaves", "shop.pem");
  const { pair: authority, certPath } = await loadAuthority({ home, now: Date.now() });
  const load = (changes: Partial<Parameters<typeof loadLeaf>[0]> = {}) =>
    loadLeaf({ path, hosts: HOSTS, commonName: "shop.localhost", authority, now: Date.now(), ...changes });
  return { home, path, authority, caPath: certPath, load };
}

/** What `openssl verify` says about a leaf: "OK" or its complaint. */
async function verify(caPath: string, leafPath: string, ...expectation: readonly string[]): Promise<string> {
  const checks = ["-x509_strict", "-purpose", "sslserver", ...expectation];
  try {
    const answer = await openssl("verify", ...checks, "-CAfile", caPath, leafPath);
    return answer.trim().split(": ").at(-1) ?? "";
  } catch (error) {
    return String(error);
  }
}

describe("the leaf that is made", () => {
  it("passes OpenSSL's strict checks for each of its hosts, and only for them", async (context) => {
    await requireOpenssl(context);
    const { path, caPath, load } = await setUp();
    await load();
    for (const host of ["localhost", "shop.localhost", "api.shop.localhost"]) {
      expect(await verify(caPath, path, "-verify_hostname", host)).toBe("OK");
    }
    for (const ip of ["127.0.0.1", "::1"]) expect(await verify(caPath, path, "-verify_ip", ip)).toBe("OK");
    for (const host of ["other.localhost", "a.b.shop.localhost", "example.com"]) {
      expect(await verify(caPath, path, "-verify_hostname", host)).toMatch(/hostname mismatch/i);
    }
  });

  it.for(["example.com", "localhost.example.com", "8.8.8.8", "172.32.0.1", "2001:db8::1", "::2"])(
    "is refused for %s, which the CA may not sign for",
    async (host, context) => {
      await requireOpenssl(context);
      const { path, caPath, load } = await setUp();
      await load({ hosts: ["localhost", host] });
      expect(await verify(caPath, path)).toMatch(/permitted subtree violation/);
    },
  );

  it("is accepted for the local names and private addresses that the CA may sign for", async (context) => {
    await requireOpenssl(context);
    const { path, caPath, load } = await setUp();
    const names = ["a.b.localhost", "shop.test", "printer.local"];
    const addresses = [
      "127.8.8.8",
      "10.1.2.3",
      "172.31.255.255",
      "192.168.0.7",
      "169.254.1.1",
      "fd00::1",
      "fe80::1",
    ];
    await load({ hosts: [...names, ...addresses] });
    for (const name of names) expect(await verify(caPath, path, "-verify_hostname", name)).toBe("OK");
    for (const address of addresses) expect(await verify(caPath, path, "-verify_ip", address)).toBe("OK");
  });

  it("is a server's alone, for at most 397 days, and began a day ago", async () => {
    const now = Date.now();
    const { load } = await setUp();
    const { certificate, key, chainPem, keyPem, validTo } = await load({ now });
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.ca).toBe(false);
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(key.asymmetricKeyDetails).toMatchObject({ namedCurve: "prime256v1" });
    expect(chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    const validFrom = Date.parse(certificate.validFrom);
    expect(Math.abs(validFrom - (now - DAY_MS))).toBeLessThan(2_000);
    expect(validTo - validFrom).toBe(397 * DAY_MS);
  });
});

describe("the leaf on disk", () => {
  it("is kept, for the user's eyes only", async () => {
    const { path, load } = await setUp();
    const first = await load();
    expect((await load()).chainPem).toBe(first.chainPem);
    expect(await readFile(path, "utf8")).toBe(first.chainPem + first.keyPem);
    if (process.platform !== "win32") expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("is made anew 30 days before its end, and not sooner", async () => {
    const { load } = await setUp();
    const first = await load();
    const soon = await load({ now: first.validTo - 31 * DAY_MS });
    expect(soon.chainPem).toBe(first.chainPem);
    const due = await load({ now: first.validTo - 29 * DAY_MS });
    expect(due.validTo).toBeGreaterThan(first.validTo);
    expect((await load()).chainPem).not.toBe(first.chainPem);
  });

  it("ends with its CA, and is not made anew each time then", async () => {
    const { load, authority } = await setUp();
    const now = authority.validTo - 10 * DAY_MS;
    const last = await load({ now });
    expect(last.validTo).toBe(authority.validTo);
    expect((await load({ now })).chainPem).toBe(last.chainPem);
  });

  it.each([
    ["empty", () => ""],
    ["scribbled over", () => "scribble"],
    ["cut off", (text: string) => text.slice(0, text.length - 60)],
    ["without its key", (text: string) => text.replace(/-----BEGIN PRIVATE KEY[^]+/, "")],
  ])("is made anew where it is %s", async (_, damage) => {
    const { path, load } = await setUp();
    const first = await load();
    await writeFile(path, damage(await readFile(path, "utf8")));
    const second = await load();
    expect(second.chainPem).not.toBe(first.chainPem);
    expect((await load()).chainPem).toBe(second.chainPem);
  });

  it("is made anew where the key is another's", async () => {
    const { home, path, load } = await setUp();
    const first = await load();
    const other = await load({ path: join(home, "leaves", "other.pem") });
    await writeFile(path, first.chainPem + other.keyPem);
    expect((await load()).chainPem).not.toBe(first.chainPem);
  });

  it("is made anew for hosts that it lacks and by an authority that did not issue it", async () => {
    const { load } = await setUp();
    await load();
    const hosts = [...HOSTS, "api.localhost"];
    const wider = await load({ hosts });
    expect(wider.certificate.checkHost("api.localhost")).toBe("api.localhost");
    const other = await loadAuthority({ home: await temporaryHome(), now: Date.now() });
    const reissued = await load({ hosts, authority: other.pair });
    expect(new X509Certificate(reissued.chainPem).verify(other.pair.certificate.publicKey)).toBe(true);
  });

  it("is made anew where the clock was set back before its start", async () => {
    const { load, authority } = await setUp();
    const later = await load({ now: Date.now() + 20 * DAY_MS });
    const now = await load();
    expect(now.validTo).toBeLessThan(later.validTo);
    expect(now.certificate.checkIssued(authority.certificate)).toBe(true);
  });
});

import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { CertificateRenewal } from "#src/certs/certificate-renewal.ts";
import { type Certificates, loadCertificates } from "#src/certs/certificates.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { temporaryHome } from "./temporary-home.ts";

const DAY_MS = 86_400_000;

/** As long as a busy machine may need. */
const PATIENTLY = { timeout: 25_000 };

/** A renewal of a leaf that was made 380 days ago, by a clock that stands still until the test lets days pass. */
async function setUp() {
  const home = await temporaryHome();
  const clock = { ms: Date.now() - 380 * DAY_MS, onRead: (): void => {} };
  const whose = { home, projectName: "shop", now: () => (clock.onRead(), clock.ms) };
  const current = await loadCertificates(whose);
  const log: LogEntry[] = [];
  const renewed: Certificates[] = [];
  const renewal = new CertificateRenewal({
    ...whose,
    current,
    onRenewed: (certificates) => renewed.push(certificates),
    logger: (entry) => log.push(entry),
    checkIntervalMs: 2,
  });
  onTestFinished(() => renewal.close());
  const letDaysPass = () => (clock.ms = Date.now());
  return { home, clock, current, log, renewed, renewal, letDaysPass };
}

describe("CertificateRenewal", () => {
  it("gives a running server a new leaf before the old one ends, once", async () => {
    const { current, renewed, letDaysPass } = await setUp();
    const server = createServer({ cert: current.certPem, key: current.keyPem });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const servedSerial = async () => {
      const address = server.address();
      if (address === null || typeof address === "string") throw new Error("the server has no port");
      const socket = connect({
        host: "127.0.0.1",
        port: address.port,
        ca: current.caPem,
        servername: "localhost",
      });
      await once(socket, "secureConnect");
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    expect(await servedSerial()).toBe(new X509Certificate(current.certPem).serialNumber);

    letDaysPass();
    await expect.poll(() => renewed.length, PATIENTLY).toBe(1);
    const [next] = renewed;
    if (next === undefined) throw new Error("nothing was renewed");
    server.setSecureContext({ cert: next.certPem, key: next.keyPem });

    expect(next.validTo).toBeGreaterThan(current.validTo);
    expect(next.caPem).toBe(current.caPem);
    expect(await servedSerial()).toBe(new X509Certificate(next.certPem).serialNumber);
    expect(renewed).toHaveLength(1);
  });

  it("warns, goes on and succeeds once it can", async () => {
    const { home, log, renewed, letDaysPass } = await setUp();
    await rm(`${home}/ca-key.pem`);
    letDaysPass();
    await expect.poll(() => log.length, PATIENTLY).toBeGreaterThan(1);
    expect(log[0]).toMatchObject({ level: "warn", event: "certificate-renewal" });
    expect(log[0]?.message).toMatch(/could not be renewed: .*ca-key\.pem is missing/);
    expect(renewed).toEqual([]);
    await rm(`${home}/ca.pem`);
    await expect.poll(() => renewed.length, PATIENTLY).toBe(1);
  });

  it("closes twice, and does not announce what it was about to renew", async () => {
    const { clock, current, renewed, renewal, home, letDaysPass } = await setUp();
    letDaysPass();
    await new Promise<void>((resolve) => (clock.onRead = resolve)); // a check begins
    await Promise.all([renewal.close(), renewal.close()]);
    expect(renewed).toEqual([]);
    const leaf = await readFile(join(home, "leaves", "shop.pem"), "utf8");
    expect(leaf).not.toContain(current.certPem); // so the check was waited for
  });

  it("does not keep the process alive", async () => {
    const home = await temporaryHome();
    const code = `
      import { CertificateRenewal } from "#src/certs/certificate-renewal.ts";
      import { loadCertificates } from "#src/certs/certificates.ts";
      const whose = { home: ${JSON.stringify(home)}, projectName: "shop" };
      const current = await loadCertificates(whose);
      new CertificateRenewal({ ...whose, current, onRenewed() {}, logger() {} });
      console.log("started");`;
    const args = ["--input-type=module", "--eval", code];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 25_000 });
    expect(stdout).toBe("started\n");
  });
});

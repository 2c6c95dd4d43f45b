import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";

import { expect, it, onTestFinished } from "vitest";

import { CertificateRenewal } from "#src/certs/certificate-renewal.ts";
import { type Certificates, loadCertificates } from "#src/certs/certificates.ts";

import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";

const DAY_MS = 86_400_000;

const toTls = ({ certPem, keyPem, caPath }: Certificates) => ({ cert: certPem, key: keyPem, caPath });

it("a leaf that ends soon is renewed under a running server: the next handshake has the new one, open streams go on", async () => {
  const home = await mkdtemp(join(tmpdir(), "chanctl-renewal-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const clock = { ms: Date.now() - 380 * DAY_MS }; // a leaf that is made now has 17 days left
  const whose = { home, projectName: "shop", now: () => clock.ms };
  const current = await loadCertificates(whose);
  await using server = await startTestServer({
    tls: toTls(current),
    http2: true,
    channels: { news: { public: true } },
  });
  const port = Number(new URL(server.url).port);
  const servedSerial = async (): Promise<string> => {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: current.caPem });
    await once(socket, "secureConnect");
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const first = await servedSerial();

  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: current.caPem });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ":path": "/channels/news", accept: "text/event-stream" });
  let read = "";
  stream.setEncoding("utf8").on("data", (text: string) => (read += text));
  const [headers] = await once(stream, "response");
  expect(headers[":status"]).toBe(200);

  await using renewal = new CertificateRenewal({
    ...whose,
    current,
    onRenewed: (renewed) => server.running.setCertificate(toTls(renewed)),
    logger: () => {},
    checkIntervalMs: 5,
  });
  expect(renewal).toBeDefined();
  clock.ms = Date.now();
  await expect.poll(servedSerial, PATIENT).not.toBe(first);
  await server.publish("news", [{ type: "message", data: "still here" }]);
  await expect.poll(() => read, PATIENT).toContain("still here");
  expect(session.closed).toBe(false);
});

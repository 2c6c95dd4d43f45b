import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadCertificates } from "#src/certs/certificates.ts";
import { startServer } from "#src/server/embed.ts";
import { startProxiedApp } from "./proxied-app.ts";
import type { RunningTarget, Target } from "./target.ts";

/** chanctl in front of an app, with the TLS of `chanctl dev`. */
export const chanctlProxy: Target = { name: "chanctl (proxy)", start };

async function start(folder: string): Promise<RunningTarget> {
  const app = await startProxiedApp();
  const { certPem, keyPem } = await loadCertificates({ home: join(folder, "home"), projectName: "bench" });
  const tls = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  await writeFile(tls.cert, certPem);
  await writeFile(tls.key, keyPem);
  const url = `http://127.0.0.1:${app.port}`;
  const server = await startServer({ root: folder, host: "127.0.0.1", port: 0, tls, app: { url }, env: {} });
  return {
    endpoints: {
      get: { kind: "post", method: "GET", url: `${server.url.replace("localhost", "127.0.0.1")}/` },
    },
    async close() {
      await server.close();
      await app.close();
    },
  };
}

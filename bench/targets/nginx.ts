import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { loadCertificates } from "#src/certs/certificates.ts";
import { pickFreePort } from "#src/platform/free-port.ts";
import { startProxiedApp } from "./proxied-app.ts";
import type { RunningTarget, Target } from "./target.ts";

/** One worker of nginx in front of the same app, with the same certificate. */
export const nginx: Target = { name: "nginx (1 worker)", programName: "nginx", start };

async function start(folder: string): Promise<RunningTarget> {
  const app = await startProxiedApp();
  const { certPem, keyPem } = await loadCertificates({ home: join(folder, "home"), projectName: "bench" });
  await writeFile(join(folder, "cert.pem"), certPem);
  await writeFile(join(folder, "key.pem"), keyPem);
  const port = await pickFreePort();
  const config = join(folder, "nginx.conf");
  await writeFile(config, configFor(folder, { port, appPort: app.port }));
  const child = spawn("nginx", ["-p", folder, "-e", join(folder, "error.log"), "-c", config], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exited = once(child, "exit");
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error("nginx ended before it listened");
    await delay(20);
  }
  return {
    endpoints: { get: { kind: "post", method: "GET", url: `https://127.0.0.1:${port}/` } },
    cpuUs: () => cpuUsOf(child.pid),
    async close() {
      child.kill();
      await exited;
      await app.close();
    },
  };
}

function configFor(folder: string, { port, appPort }: { port: number; appPort: number }): string {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  return `daemon off; master_process off; worker_processes 1;
pid ${join(folder, "nginx.pid")};
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 10000000;
  ${temp.join(" ")}
  upstream app { server 127.0.0.1:${appPort}; keepalive 256; keepalive_requests 10000000; }
  server {
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${join(folder, "cert.pem")};
    ssl_certificate_key ${join(folder, "key.pem")};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
    }
  }
}
`;
}

/** Linux counts in ticks of 10 ms; elsewhere the figure is left out. */
async function cpuUsOf(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14);
  return (Number(user) + Number(system)) * 10_000;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

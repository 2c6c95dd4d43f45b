import { spawn } from "node:child_process";
import { once } from "node:events";

/** Answers 256 bytes, as a process of its own that ends with the one that started it. */
const APP = `
const body = "x".repeat(256);
const headers = { "content-type": "text/plain", "content-length": body.length };
const server = require("node:http").createServer((_, response) => response.writeHead(200, headers).end(body));
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => console.log(server.address().port));
process.stdin.resume().once("end", () => process.exit());
`;

/** An app behind a proxy. */
export interface ProxiedApp {
  readonly port: number;
  close(): Promise<void>;
}

export async function startProxiedApp(): Promise<ProxiedApp> {
  const child = spawn(process.execPath, ["-e", APP], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  return {
    port: Number(line),
    async close() {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
    },
  };
}

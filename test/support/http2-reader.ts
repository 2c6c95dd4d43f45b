import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { kill } from "./child.ts";

/** Starts an HTTP/2 client in a process of its own that reads `path`; it reads when this resolves. */
export async function startHttp2Reader(
  { url }: { readonly url: string },
  { path, ca }: { readonly path: string; readonly ca: string },
): Promise<ChildProcess> {
  const file = fileURLToPath(new URL("../server/fixtures/reads-over-http2.mjs", import.meta.url));
  const { port } = new URL(url);
  const args = [file, `https://localhost:${port}${path}`, ca];
  const reader = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  onTestFinished(() => kill(reader));
  await once(reader, "message");
  return reader;
}

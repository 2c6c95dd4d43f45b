/**
 * `npm run demo`: a chat that `chanctl init` writes to `demo/`, served by `chanctl dev`; both as they ship.
 *
 * An existing `demo/` is kept, with its history. Flags after `--` go to `dev`: `npm run demo -- --port 0`.
 */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DEMO = join(ROOT, "demo");

function chanctl(args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn(process.execPath, [join(ROOT, "dist", "cli.js"), ...args], { cwd: DEMO, stdio });
}

async function scaffold(): Promise<number> {
  if (existsSync(join(DEMO, "package.json"))) return 0;
  // Linked instead of installed; the rest of what the chat imports is in the repository's own node_modules.
  await mkdir(join(DEMO, "node_modules"), { recursive: true });
  if (!existsSync(join(DEMO, "node_modules", "chanctl"))) {
    await symlink(ROOT, join(DEMO, "node_modules", "chanctl"), "junction");
  }
  const [code] = await once(
    chanctl(["init", "--yes", "--no-install"], ["ignore", "ignore", "inherit"]),
    "exit",
  );
  return Number(code ?? 1);
}

async function serve(flags: readonly string[]): Promise<number> {
  const dev = chanctl(["dev", ...flags], "inherit");
  // A terminal sends Ctrl-C to `dev` as well, and a second one would make it stop without a clean-up.
  process.on("SIGINT", () => process.stdin.isTTY || dev.kill("SIGINT"));
  process.on("SIGTERM", () => dev.kill("SIGTERM"));
  process.on("SIGHUP", () => dev.kill("SIGHUP"));
  const [code] = await once(dev, "exit");
  return code === 130 ? 0 : Number(code ?? 1); // Ctrl-C is how a demo ends well
}

process.exitCode = (await scaffold()) || (await serve(process.argv.slice(2)));

import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(REPOSITORY, "dist", "cli.js");

/** A folder of its own with the chat template in it, made by `chanctl init`. */
export interface ChatProject {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}

/** Scaffolds the chat as a stranger does, with this checkout in the place of the installed package. */
export async function createChatProject(): Promise<ChatProject> {
  const base = await mkdtemp(join(tmpdir(), "chanctl-chat-"));
  const folder = join(base, "chat");
  const env = { ...process.env, CHANCTL_HOME: join(base, "home"), NO_COLOR: "1" };
  await promisify(execFile)(process.execPath, [CLI, "init", "chat", "--yes", "--no-install"], {
    cwd: base,
    env,
  });
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(REPOSITORY, join(folder, "node_modules", "chanctl"), "junction");
  await symlink(join(REPOSITORY, "node_modules", "tsx"), join(folder, "node_modules", "tsx"), "junction");
  return { folder, env, remove: () => rm(base, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A `chanctl dev` that runs. */
export interface DevServer {
  readonly url: string;
  readonly caPath: string;
  readonly process: ChildProcess;
  /** Waits for a log entry of the given event. */
  waitFor(event: string): Promise<void>;
  /** Ends it with a signal and waits until it has exited. */
  stop(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `chanctl dev` and waits until it serves and its app listens. */
export async function startDev(
  { folder, env }: Pick<ChatProject, "folder" | "env">,
  args: readonly string[],
): Promise<DevServer> {
  const child = spawn(process.execPath, [CLI, "dev", "--json", ...args], { cwd: folder, env });
  const seen: Record<string, unknown>[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => seen.push(JSON.parse(line)));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const find = (event: string) => seen.find((entry) => entry["event"] === event);
  const waitFor = async (event: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = find(event);
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`chanctl dev exited with ${child.exitCode}: ${errors}`);
      await Promise.race([once(lines, "line"), once(child, "exit")]);
    }
  };
  const ready = await waitFor("ready");
  await waitFor("app-ready");
  return {
    url: String(ready["url"]),
    caPath: String(ready["caPath"]),
    process: child,
    waitFor: async (event) => void (await waitFor(event)),
    stop: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
  };
}

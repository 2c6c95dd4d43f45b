import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "#src/server/options.ts";
import type { Limits } from "#src/shared/limits.ts";

const SCRIPT = fileURLToPath(new URL("../server/fixtures/serves.mjs", import.meta.url));

/** A server in a process of its own. Disposing of it kills it. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly internalUrl: string;
  readonly token: string;
  /** What it holds after a garbage collection, in bytes. */
  memory(): Promise<number>;
  /** SIGKILL: the process has no chance to do anything. */
  kill(): Promise<void>;
}

/** What a server in a process of its own may be told, beside its channels. */
export interface ServerProcessOptions extends Pick<
  Partial<ServerOptions>,
  "app" | "tls" | "http2" | "port" | "durableStreams"
> {
  readonly limits?: Partial<Limits>;
}

/** Starts a server on a project folder, which stays when the process is gone. */
export async function startServerProcess(
  root: string,
  channels: Readonly<Record<string, unknown>>,
  options: ServerProcessOptions = {},
): Promise<ServerProcess> {
  mkdirSync(join(root, "channels"), { recursive: true });
  for (const [name, definition] of Object.entries(channels)) {
    writeFileSync(join(root, "channels", `${name}.json`), JSON.stringify(definition));
  }
  const child = fork(SCRIPT, [root, JSON.stringify(options)], { execArgv: ["--expose-gc"] });
  const exited = once(child, "exit");
  const [ready] = (await Promise.race([
    once(child, "message"),
    exited.then(([code]) => Promise.reject(new Error(`the server ended with ${String(code)}`))),
  ])) as [{ url: string; internalUrl: string }];
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  return {
    ...ready,
    token: "the-token-of-the-tests",
    memory: async () => {
      const answered = once(child, "message") as Promise<[number]>;
      child.send("memory");
      return (await answered)[0];
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

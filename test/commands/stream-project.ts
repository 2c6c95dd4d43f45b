import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { runCli } from "./cli.ts";
import type { CliResult } from "./cli.ts";
import { makeProject } from "./temp-project.ts";

/** Streams that anyone may use, at the usual place. */
const OPEN_STREAMS = {
  path: "/ds",
  pollTimeoutMs: 1_000,
  sseTtlMs: 60_000,
  skipsAuthentication: false,
  publicStreams: true,
  publicWrites: true,
} as const;

/** A project whose server runs in a process of its own. */
export interface StreamProject extends AsyncDisposable {
  readonly root: string;
  readonly server: ServerProcess;
  /** Kills the server; the files stay. */
  kill(): Promise<void>;
  /** Starts it again, after a kill. */
  restart(): Promise<void>;
  /** Runs `chanctl stream …` in the project to its end. */
  stream(args: readonly string[], input?: string): Promise<CliResult>;
}

export async function makeStreamProject(): Promise<StreamProject> {
  const folder = await makeProject();
  const { root } = folder;
  const start = (): Promise<ServerProcess> => startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
  let server = await start();
  return {
    root,
    get server() {
      return server;
    },
    kill: () => server.kill(),
    restart: async () => {
      server = await start();
    },
    stream: (args, input = "") => runCli(["stream", ...args], { cwd: root, input }),
    [Symbol.asyncDispose]: async () => {
      await server.kill();
      await folder[Symbol.asyncDispose]();
    },
  };
}

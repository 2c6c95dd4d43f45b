import { once } from "node:events";
import { endGroup, spawnGroup } from "../platform/process-group.ts";
import type { GroupLeader } from "../platform/process-group.ts";
import { messageOf } from "../shared/errors.ts";
import { aborted } from "./aborted.ts";
import { waitForFreePort } from "./free-port-wait.ts";
import type { PortTaker } from "./free-port-wait.ts";
import { ListeningWatch } from "./listening-watch.ts";
import { readLines } from "./output-lines.ts";
import type { OutputLine } from "./output-lines.ts";

/** How long the output's end is waited for: a process that left the group may hold it open for ever. */
const OUTPUT_END_WAIT_MS = 500;
/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02 */
const COMMAND_NOT_FOUND = 127;

interface RunOptions {
  readonly command: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  /** How long SIGTERM is given to work, in ms. */
  readonly graceMs: number;
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** Another program listens on its port: it is started once that has ended. */
  readonly onTaken: (taker: PortTaker | undefined) => void;
  readonly onStart: (pid: number) => void;
  readonly onLine: (line: OutputLine) => void;
  /** It listens, at this address of this machine; on another port than `port` if it has said so. */
  readonly onReady: (at: { readonly address: string; readonly port: number }) => void;
  /** It does not listen, and says that it does on another port, at which it was not found. */
  readonly onOtherPort: (port: number) => void;
  /** The first process has exited, or `signal` was aborted; the group may still have members. */
  readonly onExit: () => void;
  /** Nothing is left of its group, whose number may be given to another from now on. */
  readonly onGone: () => void;
}

/** How a run of the app ended. */
export interface RunOutcome {
  /** Continues a sentence that begins with "the app": `exited with code 1`. */
  readonly reason: string;
  readonly ranMs: number;
  /** Whether it ever listened on its port. */
  readonly wasReady: boolean;
  /** The shell did not find the command: it says so by its exit code, as npm does for a script's. */
  readonly isMissing?: boolean;
}

/**
 * Runs the app once, as soon as its port is free. Resolves when it has exited, by itself or because `signal` was
 * aborted, and nothing of its process group is left: an exit of the first process alone would leave the port taken for
 * the next run.
 */
export async function runApp(options: RunOptions): Promise<RunOutcome> {
  await waitForFreePort(options.port, options);
  if (options.signal.aborted) return { reason: "was not started", ranMs: 0, wasReady: false };

  const startedAt = performance.now();
  const child = spawnGroup(options.command, options);
  const exit = exitOf(child);
  const listening = new ListeningWatch(options.port, { ...options, group: child.pid });
  let wasReady = false;
  const onLine = (line: OutputLine): void => {
    if (!wasReady) listening.read(line.text);
    options.onLine(line);
  };
  readLines(child.stdout, (text) => onLine({ stream: "stdout", text }));
  readLines(child.stderr, (text) => onLine({ stream: "stderr", text }));
  if (child.pid !== undefined) options.onStart(child.pid);

  const exited = new AbortController();
  const watch = listening.until(exited.signal).then((at) => {
    if (at === undefined) return;
    wasReady = true;
    options.onReady(at);
  });
  await Promise.race([exit, aborted(options.signal)]);
  exited.abort();
  await watch;
  options.onExit();
  if (child.pid !== undefined) await endGroup(child.pid, { graceMs: options.graceMs });
  options.onGone();
  const reason = await exit;
  await outputEnd(child);
  const isMissing = !wasReady && child.exitCode === COMMAND_NOT_FOUND;
  return { reason, ranMs: performance.now() - startedAt, wasReady, isMissing };
}

/** Why the first process ended. `error` stands for `exit` where the shell could not be run at all. */
function exitOf(child: GroupLeader): Promise<string> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`);
    });
    child.once("error", (error) => resolve(`could not be run: ${messageOf(error)}`));
    child.stdin.on("error", () => {}); // nothing is ever written; the pipe may still break
  });
}

async function outputEnd(child: GroupLeader): Promise<void> {
  const signal = AbortSignal.timeout(OUTPUT_END_WAIT_MS);
  const streams = [child.stdout, child.stderr].filter((stream) => !stream.closed);
  await Promise.all(streams.map((stream) => once(stream, "close", { signal }))).catch(() => {});
  for (const stream of streams) stream.destroy();
}

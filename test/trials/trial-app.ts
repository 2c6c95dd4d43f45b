import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { pickFreePort } from "#src/platform/free-port.ts";
import { kill } from "../support/child.ts";

const SCRIPT = fileURLToPath(new URL("fixtures/app.mjs", import.meta.url));

/** How an app that runs fails: it never answers, or answers what is no answer. */
export type Illness = "none" | "hangs" | "garbage";

/** What an app has counted. */
export interface AppCounts {
  /** How often it was asked. */
  readonly calls: number;
  /** How many of these calls it had at once. */
  readonly mostAtOnce: number;
}

/** The app of a trial, in a process of its own, on a port that it keeps. Lets everyone in as whom the token names. */
export interface TrialApp extends AsyncDisposable {
  readonly url: string;
  /** Starts it again after a kill; resolves when it listens. */
  start(): Promise<void>;
  /** SIGKILL, wherever it is. */
  kill(): Promise<void>;
  become(illness: Illness): Promise<void>;
  /** What it has counted since the last time it was asked. */
  counts(): Promise<AppCounts>;
}

/** The command with which a supervisor starts the same app. */
export const TRIAL_APP_COMMAND: string = `"${process.execPath}" "${SCRIPT}"`;

/**
 * Starts the app.
 *
 * @param options `answerMs`: how long it thinks about each call.
 */
export async function startTrialApp({ answerMs = 0 }: { answerMs?: number } = {}): Promise<TrialApp> {
  const port = await pickFreePort();
  const run = async (): Promise<ChildProcess> => {
    const env = { ...process.env, PORT: String(port), ANSWER_MS: String(answerMs) };
    const child = fork(SCRIPT, { env });
    await once(child, "message");
    return child;
  };
  let child = await run();
  const ask = async (what: string): Promise<unknown> => {
    const answered = once(child, "message");
    child.send(what);
    return (await answered)[0];
  };
  return {
    url: `http://127.0.0.1:${port}`,
    start: async () => {
      child = await run();
    },
    kill: () => kill(child),
    become: async (illness) => void (await ask(illness)),
    counts: async () => (await ask("count")) as AppCounts,
    [Symbol.asyncDispose]: () => kill(child),
  };
}

import { readFile } from "node:fs/promises";

import { readBytes, sendRequest } from "../../../platform/http-request.ts";
import { errorCodeOf, messageOf } from "../../../shared/errors.ts";
import type { Check, Scene, Verdict } from "../check.ts";

const ANSWER_MS = 5_000;

/** What a listener answered: a status, or why there was none. */
export type ListenerAnswer = { readonly status: number } | { readonly problem: string };

/** Whether the public listener answers, over TLS that the CA vouches for. */
export const publicListener: Check = {
  name: "public",
  group: "server",
  run: async ({ run }, signal) => {
    if (run?.isAlive !== true) return undefined;
    const ca =
      run.caPath === undefined ? undefined : await readFile(run.caPath, "utf8").catch(() => undefined);
    // The broker answers it by itself and logs nothing; other paths are the app's, which may be slow.
    const url = new URL("/channels/chanctl-doctor", run.url);
    const answer = await ask(url, { method: "OPTIONS", ca, headers: {}, signal });
    return judgePublic(answer, run);
  },
};

/** Whether the internal listener answers to the token of run.json. */
export const internalListener: Check = {
  name: "internal",
  group: "server",
  run: async ({ run }, signal) => {
    if (run?.isAlive !== true) return undefined;
    const headers = { authorization: `Bearer ${run.token}` };
    const url = new URL("/_chanctl/channels", run.internalUrl);
    return judgeInternal(await ask(url, { method: "GET", ca: undefined, headers, signal }), run);
  },
};

type Run = Pick<NonNullable<Scene["run"]>, "url" | "internalUrl" | "pid">;

export function judgePublic(answer: ListenerAnswer, { url, pid }: Run): Verdict {
  if ("problem" in answer) return doesNotAnswer(url, { problem: answer.problem, pid });
  if (answer.status === 204) return { status: "ok", message: `${url} answers` };
  return {
    status: "warn",
    message: `${url} answers ${answer.status}: something else may stand before it`,
    fix: `kill ${pid}     and start chanctl again`,
  };
}

export function judgeInternal(answer: ListenerAnswer, { internalUrl, pid }: Run): Verdict {
  if ("problem" in answer) return doesNotAnswer(internalUrl, { problem: answer.problem, pid });
  if (answer.status === 200) return { status: "ok", message: `${internalUrl} takes the token` };
  return {
    status: "fail",
    message: `${internalUrl} does not take the token of run.json (${answer.status}): \`tail\` and \`publish\` fail`,
    fix: `kill ${pid}     and start chanctl again`,
  };
}

function doesNotAnswer(
  url: string,
  { problem, pid }: { readonly problem: string; readonly pid: number },
): Verdict {
  return {
    status: "fail",
    message: `${url} does not answer, though pid ${pid} lives: ${problem}`,
    fix: `kill ${pid}     and start chanctl again`,
  };
}

interface AskOptions {
  readonly method: string;
  readonly ca: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function ask(url: URL, { method, ca, headers, signal }: AskOptions): Promise<ListenerAnswer> {
  try {
    const timely = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const message = await sendRequest(url, { method, headers, ca, signal: timely });
    await readBytes(message);
    return { status: message.statusCode ?? 0 };
  } catch (error) {
    return { problem: errorCodeOf(error) ?? messageOf(error) };
  }
}

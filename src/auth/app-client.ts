import { setTimeout as sleep } from "node:timers/promises";
import { Agent, errors } from "undici";
import { lookupAt } from "../platform/localhost-lookup.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

/** The app, as far as one must know it to ask it. */
interface AskedApp {
  readonly origin: URL;
  /** The address that the origin's name stands for; `undefined` where nobody has looked. */
  readonly address: string | undefined;
  /** It is asked only while `ready`: else somebody else may listen at its port, and be shown the token (CWE-300). */
  readonly state: "blocked" | "starting" | "ready" | "crashed" | "stopped";
  /** It is not asked while its code is older than what was saved: a rule that was tightened would stay open. */
  readonly isOutdated: boolean;
  /** Tells when another run of the app answers; the earlier one ends once the promise has resolved. */
  onReplaced(listener: (earlier: URL) => Promise<void>): () => void;
}

export interface AppClientOptions {
  /** `undefined` where there is none. */
  readonly app: AskedApp | undefined;
  /** Shown to the app as `Authorization: Bearer`, so that it knows who asks. */
  readonly token: string;
  /** How long a call is tried again while the app refuses connections, in ms. */
  readonly retryMs: number;
}

interface PostOptions {
  /** When the answer was first wanted, by `performance.now()`: `retryMs` counts from there, a wait in line too. */
  readonly since: number;
  /** A longer answer is none. @default 64 KiB */
  readonly maxAnswerBytes?: number;
  /** Aborts when nobody wants the answer any more. */
  readonly signal?: AbortSignal;
}

/** An answer of the app: its HTTP status, and its body as JSON where it is JSON. */
export interface AppAnswer {
  readonly status: number;
  /** `undefined` where it is not JSON. */
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** When the question that was answered was put, by `performance.now()`. */
  readonly askedAt: number;
}

const CONNECT_TIMEOUT_MS = 2_000;
/** How long one question may wait for its answer, in ms. */
const TOTAL_TIMEOUT_MS = 5_000;
/** The default bound of an answer, in bytes. */
export const MAX_ANSWER_BYTES: number = 64 * 1_024;
const RETRY_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** An app that is not up is not asked, so that looking again costs nothing, and nobody waits longer than it takes. */
const NOT_UP_PAUSE_MS = 100;

/** The error codes of a connection that the app has refused or dropped: it is restarting, and the call was not answered. */
const RESET_CODES: ReadonlySet<string> = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

/**
 * Asks the app. A rolling restart of the app is waited out: refused and reset connections, 502, 503 and 504 are
 * tried again for `retryMs`. Everything else is final, a time-out too: it was perhaps answered.
 */
export class AppClient {
  readonly #options: AppClientOptions;
  readonly #agent: Agent;
  /** The questions that wait for their answers, by the origin that was asked. */
  readonly #underWay = new Map<string, Set<Promise<Attempt>>>();
  readonly #stopListening: (() => void) | undefined;

  constructor(options: AppClientOptions) {
    this.#options = options;
    this.#stopListening = options.app?.onReplaced(async ({ href }) => {
      const answers = [...(this.#underWay.get(href) ?? [])];
      await Promise.all(answers);
    });
    this.#agent = new Agent({
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        autoSelectFamily: true,
        lookup: lookupAt(() => options.app?.address),
      },
      headersTimeout: TOTAL_TIMEOUT_MS,
      bodyTimeout: TOTAL_TIMEOUT_MS,
      keepAliveTimeout: 10_000,
    });
  }

  /** Whether there is an app to ask; whether it answers is another matter. */
  get hasApp(): boolean {
    return this.#options.app !== undefined;
  }

  /**
   * POSTs JSON to the app.
   *
   * A question that has been put is not cut off when `signal` aborts, only never put again: the app may be at work
   * on it all the same, and callers that come and go could make it work on any number at once (CWE-770).
   *
   * @throws {ChanctlError} `app_unavailable` if there is no app, or no answer.
   */
  async post(path: string, body: string, options: PostOptions): Promise<AppAnswer> {
    const { since, maxAnswerBytes = MAX_ANSWER_BYTES, signal } = options;
    const deadline = since + this.#options.retryMs;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const attempt = await this.#attempt(path, { body, maxAnswerBytes });
      if ("answer" in attempt) return attempt.answer;
      if (!attempt.isRetryable || performance.now() + pauseMs > deadline) throw attempt.error;
      if (!attempt.wasAsked) {
        await sleep(NOT_UP_PAUSE_MS, undefined, signal && { signal });
        continue;
      }
      // Jitter: a thousand clients that reconnect at once must not ask at once again.
      await sleep(pauseMs * (0.5 + Math.random()), undefined, signal && { signal });
      pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
    }
  }

  async #attempt(path: string, { body, maxAnswerBytes }: Question): Promise<Attempt> {
    const { app } = this.#options;
    if (app === undefined)
      return failed("no app is running that could be asked", { isRetryable: false, hint: NO_APP });
    if (app.state !== "ready") return notAsked(NOT_UP[app.state]);
    if (app.isOutdated) return notAsked("the app is being replaced after a save");
    const { origin } = app;
    const underWay = this.#underWay.get(origin.href) ?? new Set<Promise<Attempt>>();
    this.#underWay.set(origin.href, underWay);
    const answer = this.#ask(path, { origin, body, maxAnswerBytes });
    underWay.add(answer);
    try {
      return await answer;
    } finally {
      underWay.delete(answer);
      if (underWay.size === 0) this.#underWay.delete(origin.href);
    }
  }

  async #ask(path: string, { origin, body, maxAnswerBytes }: Question & { origin: URL }): Promise<Attempt> {
    const askedAt = performance.now();
    try {
      const response = await this.#agent.request({
        origin,
        path,
        method: "POST",
        headers: {
          authorization: `Bearer ${this.#options.token}`,
          "content-type": "application/json",
          accept: "application/json",
        },
        body,
        signal: AbortSignal.timeout(TOTAL_TIMEOUT_MS),
      });
      const text = await readText(response.body, maxAnswerBytes);
      if (RETRY_STATUSES.has(response.statusCode)) {
        return failed(`the app answered ${response.statusCode}`, { isRetryable: true });
      }
      return { answer: { status: response.statusCode, body: parseJson(text), text, askedAt } };
    } catch (cause) {
      return failed(`the app did not answer: ${messageOf(cause)}`, { isRetryable: isReset(cause), cause });
    }
  }

  /** Ends idle connections; calls under way fail. */
  close(): Promise<void> {
    this.#stopListening?.();
    return this.#agent.destroy();
  }
}

interface Question {
  readonly body: string;
  readonly maxAnswerBytes: number;
}

type Attempt =
  | { readonly answer: AppAnswer }
  | { readonly error: ChanctlError; readonly isRetryable: boolean; readonly wasAsked: boolean };

const NO_APP = '--app "npm run start"     gives the server one; or make the channel `public: true`';

const NOT_UP = {
  blocked: "the app is not started yet: another program has its port",
  starting: "the app is still starting",
  crashed: "the app has crashed and is not back yet",
  stopped: "the app is not running",
} as const;

function notAsked(message: string): Attempt {
  return { ...failed(message, { isRetryable: true }), wasAsked: false };
}

function failed(
  message: string,
  { isRetryable, cause, hint }: { isRetryable: boolean; cause?: unknown; hint?: string },
): Extract<Attempt, { error: ChanctlError }> {
  const error = new ChanctlError("app_unavailable", message, {
    cause,
    retryAfterSecs: 1,
    ...(hint === undefined ? {} : { hint }),
  });
  return { error, isRetryable, wasAsked: true };
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new errors.ResponseExceededMaxSizeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks, size));
}

function isReset(cause: unknown): boolean {
  if (cause instanceof errors.ResponseExceededMaxSizeError) return false;
  const code = errorCodeOf(cause) ?? errorCodeOf(cause instanceof Error ? cause.cause : undefined);
  if (code !== undefined && RESET_CODES.has(code)) return true;
  // A dual-stack dial fails with one error an address.
  return cause instanceof AggregateError && cause.errors.every(isReset);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { setTimeout as sleep } from "node:timers/promises";

import { formatDuration } from "../shared/duration.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import { brokerAccess } from "./environment.ts";
import { parseStored, toChanctlError } from "./publish-answer.ts";

/** How a publish is sent. */
export interface PublishOptions {
  /** Makes a repeat of the same publish harmless, across processes too. @default a new one for each publish */
  readonly idempotencyKey?: string;
  /** How long to go on trying while the broker cannot be reached, in ms. @default 30 s */
  readonly timeoutMs?: number;
  /** Gives up; whether the message is stored is then unknown, a repeat with the same key is safe. */
  readonly signal?: AbortSignal;
}

/** A message on its way to the broker. */
export interface OutgoingMessage {
  readonly type: string;
  readonly data: unknown;
}

interface Publish {
  readonly channel: string;
  /** The params, as `toQuery` writes them. */
  readonly query: string;
  /** JSON of one message, or of an array of messages. */
  readonly body: string;
}

type Outcome =
  | { readonly kind: "stored"; readonly ids: readonly string[] }
  | { readonly kind: "refused"; readonly error: ChanctlError }
  | { readonly kind: "again"; readonly error: ChanctlError };

/** The broker is restarting, busy, or a proxy in front of it found it so. */
const AGAIN_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** How long a publish is tried for, in ms. */
export const DEFAULT_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Stores the messages, together or not at all; outlives a restart of the broker.
 *
 * Every attempt carries the same key and the same bytes, so an attempt whose answer was lost is not stored twice.
 *
 * @param options.onFailure is told why an attempt has failed that is followed by another.
 * @returns Their ids, in order.
 * @throws {ChanctlError} the broker's own code, at once if it refuses; once `timeoutMs` is over that of the last
 *   attempt: `cannot_connect` if it got no answer, else what the broker was too busy for, such as `rate_limited`.
 * @throws the reason of `signal`.
 */
export async function publishBody(
  publish: Publish,
  options: PublishOptions & { readonly onFailure?: (error: ChanctlError) => void },
): Promise<readonly string[]> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  signal?.throwIfAborted();
  const request = toRequest(publish, options.idempotencyKey ?? crypto.randomUUID());
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  const onTimeout = (): void => stop.abort(new Error(`no answer within ${formatDuration(timeoutMs)}`));
  const timer = setTimeout(onTimeout, timeoutMs);
  signal?.addEventListener("abort", onAbort);
  try {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await send(request, stop.signal);
      if (outcome.kind === "stored") return outcome.ids;
      if (outcome.kind === "refused") throw outcome.error;
      options.onFailure?.(outcome.error);
      const retryAfterMs = (outcome.error.retryAfterSecs ?? 0) * 1_000;
      await sleep(Math.max(retryAfterMs, pauseMs(attempt)), undefined, { signal: stop.signal }).catch(
        () => {},
      );
      signal?.throwIfAborted();
      if (stop.signal.aborted) throw outcome.error;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Doubles with each attempt; spread, so that many publishers do not come back at once. */
function pauseMs(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
}

interface BrokerRequest {
  readonly url: URL;
  readonly init: RequestInit;
}

/** Writes params as a URL's query: two calls with the same text mean the same stream. */
export function toQuery(params: object): string {
  const query = new URLSearchParams();
  for (const [param, value] of Object.entries(params)) {
    if (value !== undefined) query.set(param, String(value));
  }
  return query.toString();
}

function toRequest({ channel, query, body }: Publish, key: string): BrokerRequest {
  const { url: base, token } = brokerAccess();
  if (token === undefined) throw unset("CHANCTL_TOKEN", "text", token);
  if (base === undefined || !URL.canParse(base)) throw unset("CHANCTL_URL", "URL", base);
  const url = new URL(`/channels/${channel}/messages`, base);
  url.search = query;
  const headers = new Headers({
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "idempotency-key": key,
  });
  return { url, init: { method: "POST", headers, body, redirect: "manual" } };
}

function unset(name: string, expected: string, came: string | undefined): ChanctlError {
  const message = `publishing needs a ${expected} in \`${name}\`, got ${came === undefined ? "none" : `\`${came}\``}`;
  return new ChanctlError("cannot_connect", message, { hint: "chanctl dev     starts the app with it" });
}

async function send({ url, init }: BrokerRequest, signal: AbortSignal): Promise<Outcome> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { ...init, signal });
    text = await response.text();
  } catch (cause) {
    return { kind: "again", error: unreachable(url, cause) };
  }
  if (AGAIN_STATUSES.has(response.status)) return { kind: "again", error: toChanctlError(response, text) };
  const ids = response.ok ? parseStored(text) : undefined;
  return ids === undefined
    ? { kind: "refused", error: toChanctlError(response, text) }
    : { kind: "stored", ids };
}

function unreachable(url: URL, cause: unknown): ChanctlError {
  const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const detail = messageOf(reason) || (errorCodeOf(reason) ?? "no answer");
  return new ChanctlError("cannot_connect", `the broker at ${url.origin} cannot be reached: ${detail}`, {
    cause,
    hint: "chanctl dev     starts it, and gives the app its `CHANCTL_URL`",
  });
}

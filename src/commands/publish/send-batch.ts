import { setTimeout as delay } from "node:timers/promises";

import { ChanctlError, errorCodeOf } from "../../shared/errors.ts";
import { call, errorOfAnswer } from "../target/call.ts";
import type { Target } from "../target/target.ts";

interface SendOptions {
  /** Finds the server, anew for each attempt: after a restart it may listen elsewhere. */
  readonly locate: () => Promise<Target>;
  /** `/channels/<name>/messages?<params>`. */
  readonly path: string;
  /** The idempotency key: it makes the retries store once. */
  readonly key: string;
  /** Whether this server has answered before, so that it is worth waiting for. */
  readonly isKnown: boolean;
  readonly signal: AbortSignal;
}

const RETRY_FOR_MS = 30_000;
const MAX_DELAY_MS = 2_000;
const RETRIED_STATUSES = new Set([429, 502, 503, 504]);

/**
 * Publishes one batch and waits until it is durable. A server that restarts meanwhile is waited for.
 *
 * @returns The messages' ids.
 * @throws {ChanctlError} What the server refused it with, or `cannot_connect`.
 */
export async function sendBatch(body: string, options: SendOptions): Promise<string[]> {
  const giveUpAt = performance.now() + RETRY_FOR_MS;
  for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    const outcome = await attempt(body, options);
    if (outcome.kind === "stored") return outcome.ids;
    const waitMs = Math.max(delayMs, (outcome.error.retryAfterSecs ?? 0) * 1_000);
    if (outcome.kind === "refused" || performance.now() + waitMs > giveUpAt) throw outcome.error;
    await delay(waitMs * (0.5 + Math.random() / 2), undefined, { signal: options.signal });
  }
}

type Attempt =
  | { readonly kind: "stored"; readonly ids: string[] }
  | { readonly kind: "refused" | "unavailable"; readonly error: ChanctlError };

async function attempt(body: string, { locate, path, key, isKnown, signal }: SendOptions): Promise<Attempt> {
  const headers = { "content-type": "application/json", "idempotency-key": key };
  try {
    const answer = await call(await locate(), { path, method: "POST", headers, body, signal });
    if (answer.status === 200) return { kind: "stored", ids: parseIds(answer.text) };
    const error = errorOfAnswer(answer);
    return { kind: RETRIED_STATUSES.has(error.status) ? "unavailable" : "refused", error };
  } catch (error) {
    if (!(error instanceof ChanctlError) || error.code !== "cannot_connect") throw error;
    const isRetried = isKnown || errorCodeOf(error.cause) === "ECONNRESET";
    return { kind: isRetried ? "unavailable" : "refused", error };
  }
}

function parseIds(text: string): string[] {
  const value: unknown = JSON.parse(text);
  const ids = typeof value === "object" && value !== null && "ids" in value ? value.ids : undefined;
  if (Array.isArray(ids) && ids.every((id) => typeof id === "string")) return ids;
  throw new ChanctlError(
    "internal",
    'the server\'s answer to a publish must be `{"ids":[…]}`, got something else',
  );
}

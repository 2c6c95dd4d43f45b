import { parseAnswer, toError } from "./ending.ts";
import { credentials, retryAfterMs } from "./event-stream-link.ts";
import type { Publish, Settled } from "./publish-queue.ts";

/** Where and as whom a message is POSTed. */
interface Post {
  /** `…/channels/<name>/messages?<params>`. */
  readonly url: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/** Publishes one message by HTTP. Never rejects. */
export async function postMessage({ key, json }: Publish, { url, token, signal }: Post): Promise<Settled> {
  try {
    const response = await fetch(url, {
      method: "POST",
      ...credentials(token, { "content-type": "application/json", "idempotency-key": key }),
      body: json,
      signal,
    });
    const text = await response.text();
    const answer = parseAnswer(text);
    const id = answer.ids?.[0];
    if (id !== undefined) return { kind: "stored", id };
    const { status } = response;
    const afterMs = retryAfterMs(response);
    // What may pass later says when; a proxy with nobody behind it, and one that lets nobody through, do not.
    if (afterMs !== undefined || status > 500) return { kind: "passing", afterMs };
    return { kind: "refused", error: toError(status, answer) };
  } catch {
    return { kind: "passing" };
  }
}

import { parseAnswer, toSettled } from "./ending.ts";
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
    const answer = parseAnswer(await response.text());
    return toSettled({ ...answer, id: answer.ids?.[0], afterMs: retryAfterMs(response) }, response.status);
  } catch {
    return { kind: "passing" };
  }
}

import { Agent } from "undici";
import { messageOf } from "../../shared/errors.ts";
import type { Webhook, WebhookOutcome, WebhookSender } from "../../broker/webhook.ts";
import { createVettedLookup, forbidden } from "./vetted-lookup.ts";
import { isLoopbackAddress, isPublicAddress } from "./webhook-address.ts";
import { literalOf, parseWebhookUrl } from "./webhook-url.ts";
import type { WebhookPolicy } from "./webhook-url.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** How long a receiver may take for its answer: it may work before it says `done`. */
const TOTAL_TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1_024;

/**
 * Sends webhooks over HTTP. Redirects are not followed, answers are read up to a bound, and a connection is made only to
 * an address that was looked at: a name that meant a public address when it was checked may mean another one by now
 * (DNS rebinding, CWE-918).
 */
export class HttpWebhookSender implements WebhookSender {
  readonly #policy: WebhookPolicy;
  readonly #public = makeAgent(isPublicAddress);
  readonly #loopback = makeAgent(isLoopbackAddress);

  constructor(policy: WebhookPolicy) {
    this.#policy = policy;
  }

  async send(webhook: Webhook, signal: AbortSignal): Promise<WebhookOutcome> {
    const over = new AbortController();
    const stop = (): void => over.abort(signal.reason);
    const timer = setTimeout(() => over.abort(new Error("the receiver took too long")), TOTAL_TIMEOUT_MS);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await this.#send(webhook, over.signal);
    } catch (thrown) {
      return { kind: "failed", message: causeOf(thrown) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  async #send({ url: text, body, signature }: Webhook, signal: AbortSignal): Promise<WebhookOutcome> {
    const { url, isAllowed } = parseWebhookUrl(text, this.#policy);
    const address = literalOf(url);
    // An address is not looked up, so the agent never sees it.
    if (address !== undefined && !isAllowed(address)) return { kind: "failed", message: forbidden(address) };
    const agent = isAllowed === isLoopbackAddress ? this.#loopback : this.#public;
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-signature": signature,
        "user-agent": "chanctl",
      },
      body,
      signal,
    });
    const { statusCode } = answer;
    if (statusCode < 200 || statusCode > 299) {
      answer.body.on("error", () => {}).destroy();
      return { kind: "failed", message: `the receiver answered ${statusCode}` };
    }
    return { kind: isDone(await readAnswer(answer.body)) ? "done" : "accepted" };
  }

  async close(): Promise<void> {
    await Promise.all([this.#public.destroy(), this.#loopback.destroy()]);
  }
}

function makeAgent(isAllowed: (address: string) => boolean): Agent {
  return new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, lookup: createVettedLookup(isAllowed) },
    headersTimeout: TOTAL_TIMEOUT_MS,
    bodyTimeout: TOTAL_TIMEOUT_MS,
    keepAliveTimeout: 4_000,
    // A webhook is no place to wait for another one of the same receiver.
    pipelining: 0,
  });
}

/** What is not read whole says nothing about being done; that the receiver has it, its status has said. */
async function readAnswer(body: AsyncIterable<unknown> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk as Uint8Array);
      size += bytes.length;
      if (size > MAX_ANSWER_BYTES) return "";
      chunks.push(bytes);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch {
    return "";
  } finally {
    body.destroy();
  }
}

function isDone(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null && "done" in answer && answer.done === true;
  } catch {
    return false;
  }
}

function causeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join("; ");
  return messageOf(thrown);
}

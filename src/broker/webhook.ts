import { encodeOffset } from "../protocol/offset.ts";
import type { SigningKey } from "./signing-key.ts";
import type { LinkState } from "./subscription-operation.ts";
import { wakeIdOf } from "./subscription-record.ts";
import type { SubscriptionRecord } from "./subscription-record.ts";
import { signWakeToken } from "./wake-token.ts";

/** A notification, ready to be sent. */
export interface Webhook {
  readonly url: string;
  readonly body: string;
  /** `Webhook-Signature`. */
  readonly signature: string;
}

/** What became of one attempt. `done`: all that it told of is worked on. */
export type WebhookOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "accepted" }
  | { readonly kind: "failed"; readonly message: string };

/** Takes notifications to their receivers. */
export interface WebhookSender {
  /** MUST NOT reject, MUST resolve soon after the signal aborts, and MUST connect to no address that it may not. */
  send(webhook: Webhook, signal: AbortSignal): Promise<WebhookOutcome>;
}

/** A stream as a worker is told of it. */
export interface WakeStream {
  readonly path: string;
  readonly link_type: "explicit" | "glob";
  readonly acked_offset: string;
  readonly tail_offset: string;
  readonly has_pending: boolean;
}

/** A stream in the form that the protocol gives it. */
export function toWakeStream({
  stream,
  isExplicit,
  ackedOffset,
  tailOffset,
  isPending,
}: LinkState): WakeStream {
  return {
    path: stream.slice(1),
    link_type: isExplicit ? "explicit" : "glob",
    acked_offset: encodeOffset(ackedOffset),
    tail_offset: encodeOffset(tailOffset),
    has_pending: isPending,
  };
}

interface Signing {
  readonly key: SigningKey;
  /** For tokens, in ms since 1970. */
  readonly now: number;
  /** For the signature, in ms since 1970. */
  readonly wallTime: number;
}

/**
 * The notification of the wake that a subscription is in.
 *
 * @see PROTOCOL.md, section 7.1
 */
export function encodeWebhook(
  subscription: SubscriptionRecord,
  streams: readonly LinkState[],
  { key, now, wallTime }: Signing,
): Webhook {
  const { id, incarnation, generation, baseUrl, webhookUrl } = subscription;
  const body = JSON.stringify({
    subscription_id: id,
    wake_id: wakeIdOf(subscription),
    generation,
    streams: streams.map(toWakeStream),
    callback_url: `${baseUrl}/__ds/subscriptions/${encodeURIComponent(id)}/callback`,
    callback_token: signWakeToken(
      { subscription: incarnation, generation },
      { secret: key.tokenSecret, now },
    ),
  });
  return { url: webhookUrl ?? "", body, signature: key.signatureOf(body, Math.floor(wallTime / 1_000)) };
}

import type { SigningKey } from "../../broker/signing-key.ts";
import type { LinkState } from "../../broker/subscription-operation.ts";
import type { SubscriptionRecord } from "../../broker/subscription-record.ts";
import { toWakeStream } from "../../broker/webhook.ts";

/** Where the public keys are, below the mount (PROTOCOL.md, section 6.5). */
const JWKS_PATH = "/__ds/jwks.json";

interface View {
  readonly links: readonly LinkState[];
  readonly key: SigningKey;
  /** The URL of the mount, as whoever asks knows it. */
  readonly baseUrl: string;
}

/** A subscription as its readers get it (PROTOCOL.md, section 6.3). What is absent is `null`. */
export function toSubscriptionView(
  subscription: SubscriptionRecord,
  { links, key, baseUrl }: View,
): Readonly<Record<string, unknown>> {
  const { id, type, pattern, webhookUrl, wakeStream, leaseTtlMs, createdAt, failures, description } =
    subscription;
  return {
    id,
    subscription_id: id,
    type,
    pattern,
    streams: links.map(toWakeStream).map(({ path, link_type, acked_offset }) => ({
      path,
      link_type,
      acked_offset,
    })),
    webhook:
      webhookUrl === null
        ? null
        : {
            url: webhookUrl,
            signing: { alg: "ed25519", kid: key.jwk.kid, jwks_url: baseUrl + JWKS_PATH },
          },
    wake_stream: wakeStream === null ? null : wakeStream.slice(1),
    lease_ttl_ms: leaseTtlMs,
    created_at: new Date(createdAt).toISOString(),
    status: failures > 0 ? "failed" : "active",
    description,
  };
}

import { isIP } from "node:net";
import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { clip } from "../../shared/clip.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { isLoopbackAddress, isPublicAddress } from "./webhook-address.ts";

/** Where a webhook may go, and to which of the addresses that its name may have. */
export interface WebhookTarget {
  readonly url: URL;
  readonly isAllowed: (address: string) => boolean;
}

export interface WebhookPolicy {
  /** Whether `http://localhost` and `http://127.0.0.x` may be told: for development and tests. */
  readonly allowsLoopback: boolean;
}

const MAX_URL_LENGTH = 2_048;
/** A name that cannot be looked up in this time is looked up again at the delivery. */
const LOOKUP_TIMEOUT_MS = 3_000;

/**
 * Reads the URL of a webhook, by what stands in it alone. Asked at the creation and again at each delivery: the rules
 * may have become stricter since.
 *
 * @throws {ChanctlError} `webhook_url_rejected`.
 * @see PROTOCOL.md, sections 6.2 and 12.8
 */
export function parseWebhookUrl(text: string, { allowsLoopback }: WebhookPolicy): WebhookTarget {
  if (text.length > MAX_URL_LENGTH) throw rejected(`it must have at most ${MAX_URL_LENGTH} characters`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw rejected(`\`${clip(text)}\` is no URL`);
  // It would be logged, shown and sent wherever the URL is (CWE-522).
  if (url.username !== "" || url.password !== "") throw rejected("it must not hold a name or password");
  if (url.protocol === "http:" && allowsLoopback && isDevelopmentHost(url.hostname))
    return { url, isAllowed: isLoopbackAddress };
  if (url.protocol !== "https:") {
    const exception = allowsLoopback ? ", or http with the host `localhost` or `127.0.0.x`" : "";
    throw rejected(`it must be https${exception}`);
  }
  const address = literalOf(url);
  if (address !== undefined && !isPublicAddress(address))
    throw rejected(`\`${address}\` is no address of the public Internet`);
  return { url, isAllowed: isPublicAddress };
}

/**
 * Checks where a webhook is to go when its subscription is created. A name that does not resolve now may later; the
 * address that is really connected to is looked at in any case.
 *
 * @throws {ChanctlError} `webhook_url_rejected`.
 */
export async function assertWebhookUrl(text: string, policy: WebhookPolicy): Promise<void> {
  const { url, isAllowed } = parseWebhookUrl(text, policy);
  if (literalOf(url) !== undefined) return;
  const addresses = await resolve(url.hostname);
  const forbidden = addresses.find(({ address }) => !isAllowed(address));
  if (forbidden !== undefined)
    throw rejected(`\`${url.hostname}\` is \`${forbidden.address}\`, to which no webhook may go`);
}

/** The address that a URL's host is; `undefined` for a name. */
export function literalOf({ hostname }: URL): string | undefined {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(host) === 0 ? undefined : host;
}

function isDevelopmentHost(hostname: string): boolean {
  return hostname === "localhost" || (isIP(hostname) === 4 && isLoopbackAddress(hostname));
}

async function resolve(hostname: string): Promise<readonly LookupAddress[]> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<readonly LookupAddress[]>((settle) => {
    timer = setTimeout(() => settle([]), LOOKUP_TIMEOUT_MS);
  });
  try {
    return await Promise.race([lookup(hostname, { all: true }).catch(() => []), over]);
  } finally {
    clearTimeout(timer);
  }
}

function rejected(why: string): ChanctlError {
  return new ChanctlError("webhook_url_rejected", `\`webhook.url\` cannot be used: ${why}`, {
    fields: { field: "webhook.url" },
  });
}

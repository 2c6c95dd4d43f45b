import type { StreamState } from "../../broker/streams.ts";
import { encodeOffset } from "../../protocol/offset.ts";
import type { Offset } from "../../protocol/offset.ts";
import type { ChanctlError } from "../../shared/errors.ts";
import type { HttpResponse } from "../http.ts";

/**
 * Headers that every answer has, errors too (PROTOCOL.md, section 12.7).
 *
 * What is stored is its writers' and not ours, and it is served from the app's own origin: opened as a page it would
 * run there as the app's (CWE-79), so it is shown in a sandbox; and no other site may embed what is not for all.
 */
export function setSecurityHeaders(response: HttpResponse, { isOpen }: { readonly isOpen: boolean }): void {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "default-src 'none'; sandbox");
  response.setHeader("cross-origin-resource-policy", isOpen ? "cross-origin" : "same-origin");
}

/** How to do better, of a 401 (RFC 6750, section 3). */
export function setChallenge(response: HttpResponse, { code, message }: ChanctlError): void {
  const isOfToken = code === "token_invalid" || code === "token_expired";
  const description = message.replaceAll(/[^\x20-\x7e]|["\\]/g, "'");
  const details = isOfToken ? ` error="invalid_token", error_description="${description}"` : "";
  response.setHeader("www-authenticate", `Bearer${details}`);
}

/** Where the stream stands. */
export function setPosition(
  response: HttpResponse,
  { next, isClosed }: { readonly next: Offset; readonly isClosed: boolean },
): void {
  response.setHeader("stream-next-offset", encodeOffset(next));
  if (isClosed) response.setHeader("stream-closed", "true");
}

/** What was accepted of the producer that sent the request, if one did. */
export function setProducer(
  response: HttpResponse,
  producer: { readonly epoch: number; readonly seq: number } | undefined,
): void {
  if (producer === undefined) return;
  response.setHeader("producer-epoch", String(producer.epoch));
  response.setHeader("producer-seq", String(producer.seq));
}

/** How long the stream lives. */
export function setLifetime(
  response: HttpResponse,
  { ttlMs, expiresAt }: Pick<StreamState, "ttlMs" | "expiresAt">,
): void {
  if (ttlMs !== null) response.setHeader("stream-ttl", String(ttlMs / 1_000));
  if (expiresAt !== null) response.setHeader("stream-expires-at", new Date(expiresAt).toISOString());
}

/**
 * Who may keep an answer. What is read at a place never changes, but more may follow it; an answer that holds nothing
 * is asked again each time, or whoever polls would not hear of what is new for a minute.
 *
 * @see PROTOCOL.md, section 10.1
 */
export function cacheControl({ isPublic, isEmpty }: { isPublic: boolean; isEmpty: boolean }): string {
  const who = isPublic ? "public" : "private";
  return isEmpty ? `${who}, no-cache` : `${who}, max-age=60, stale-while-revalidate=300`;
}

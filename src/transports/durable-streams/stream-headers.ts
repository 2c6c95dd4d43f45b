import { encodeOffset } from "../../protocol/offset.ts";
import type { Offset } from "../../protocol/offset.ts";
import type { HttpResponse } from "../http.ts";
import type { ServedStream } from "./stream-target.ts";

/** Headers that every answer has, errors too (PROTOCOL.md, section 12.7). */
export function setSecurityHeaders(response: HttpResponse): void {
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("cross-origin-resource-policy", "cross-origin");
}

/** Where the stream stands. */
export function setPosition(
  response: HttpResponse,
  { next, isClosed }: { readonly next: Offset; readonly isClosed: boolean },
): void {
  response.setHeader("stream-next-offset", encodeOffset(next));
  if (isClosed) response.setHeader("stream-closed", "true");
}

/** How long the stream lives. */
export function setLifetime(response: HttpResponse, { state }: ServedStream): void {
  if (state?.ttlMs != null) response.setHeader("stream-ttl", String(state.ttlMs / 1_000));
  if (state?.expiresAt != null)
    response.setHeader("stream-expires-at", new Date(state.expiresAt).toISOString());
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

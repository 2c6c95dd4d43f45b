import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Whether a request's `Authorization` header proves that the broker sent it.
 *
 * Hashed first: both sides are then of one length, and the time it takes tells nothing of the token (CWE-208).
 */
export function isFromBroker(authorization: string | undefined, token: string | undefined): boolean {
  if (authorization === undefined || token === undefined) return false;
  return timingSafeEqual(sha256(authorization), sha256(`Bearer ${token}`));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Makes the check of a request's `Authorization` header against the internal token.
 *
 * Digests are compared, in constant time: neither length nor content leaks (CWE-208).
 */
export function createTokenCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(`Bearer ${token}`);
  return (authorization = "") => timingSafeEqual(digest(authorization), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

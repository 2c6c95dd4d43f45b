import { createHash, timingSafeEqual } from "node:crypto";

/** Whether a request carries the internal token. Digests are compared, in constant time: neither length nor content leaks (CWE-208). */
export function hasInternalToken(authorization: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { ChanctlError } from "../shared/errors.ts";
import { headerOf } from "./http.ts";
import type { HttpRequest } from "./http.ts";

const MAX_KEY_LENGTH = 256;

/**
 * Checks a key that a client made for a publish.
 *
 * @param place where it was given, for the error: "Idempotency-Key".
 * @throws {ChanctlError} `malformed`.
 */
export function assertKey(key: string, place: string): void {
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return;
  throw new ChanctlError("malformed", `\`${place}\` must have 1 to ${MAX_KEY_LENGTH} characters`);
}

/**
 * The key of a publish by HTTP, if it has one.
 *
 * @throws {ChanctlError} `malformed`.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function readIdempotencyKey(request: HttpRequest): string | undefined {
  const key = headerOf(request, "idempotency-key");
  if (key !== undefined) assertKey(key, "Idempotency-Key");
  return key;
}

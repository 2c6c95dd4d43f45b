import { ChanctlError } from "../shared/errors.ts";

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

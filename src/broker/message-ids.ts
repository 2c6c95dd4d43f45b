import { encodeOffset } from "../protocol/offset.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Appended, Refused } from "./operation.ts";
import type { StreamRefused } from "./stream-operation.ts";

/**
 * The ids of the messages that an append has stored, in order.
 *
 * @throws {ChanctlError} `key_reused`, naming the key.
 */
export function toMessageIds(
  result: Appended | Refused | StreamRefused,
  { key }: { readonly key?: string | undefined },
): string[] {
  if (result.kind === "appended") {
    const { incarnation, first, count } = result;
    return Array.from({ length: count }, (_, index) =>
      encodeOffset({ incarnation, position: first + index + 1 }),
    );
  }
  if (result.reason === "key-reused")
    throw new ChanctlError("key_reused", `the idempotency key \`${key}\` was used for another message`);
  throw new Error(`an append was refused: ${result.reason}`);
}

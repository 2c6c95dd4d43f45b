import { CLAIMED_OPERATIONS } from "../../protocol/app-call.ts";
import type { ClaimedOperation } from "../../protocol/app-call.ts";
import { canonicalizePath } from "../../protocol/durable-streams/stream-path.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { oneOf } from "../../shared/one-of.ts";

/** What a JWT allows with the streams of a pattern. */
export interface StreamGrant {
  readonly path: string;
  readonly operations: readonly ClaimedOperation[];
}

/**
 * Reads `--stream`: `jobs/*:read,append`.
 *
 * @throws {ChanctlError} `usage`: what was expected, and the operation that was probably meant.
 */
export function parseStreamGrant(text: string): StreamGrant {
  const colon = text.lastIndexOf(":");
  if (colon === -1) {
    throw new ChanctlError(
      "usage",
      `\`--stream\` must be a pattern and what is allowed there, got \`${text}\``,
      { hint: `--stream '${text}:read'     or any of ${CLAIMED_OPERATIONS.join(", ")}, with commas` },
    );
  }
  const path = text.slice(0, colon);
  assertStreamPath(path, "`--stream`");
  const operations = text
    .slice(colon + 1)
    .split(",")
    .map((name) => parseOperation(name.trim(), path));
  return { path, operations };
}

/**
 * Checks that a name can be a stream's, or a pattern of such names.
 *
 * @param place where it was given, for the error.
 * @throws {ChanctlError} `usage`.
 */
export function assertStreamPath(path: string, place: string): void {
  try {
    canonicalizePath(path);
  } catch (cause) {
    if (!(cause instanceof ChanctlError)) throw cause;
    throw new ChanctlError("usage", `${place}: ${cause.message}`, {
      cause,
      hint: "write it as below the mount, without a slash at the beginning or the end: jobs/42",
    });
  }
}

function parseOperation(name: string, path: string): ClaimedOperation {
  const operation = CLAIMED_OPERATIONS.find((known) => known === name);
  if (operation !== undefined) return operation;
  const near = didYouMean(name, CLAIMED_OPERATIONS);
  throw new ChanctlError(
    "usage",
    `what \`--stream\` allows must be ${oneOf(CLAIMED_OPERATIONS)}, got \`${name}\``,
    { hint: near === undefined ? `--stream '${path}:read'` : `did you mean ${near}?` },
  );
}

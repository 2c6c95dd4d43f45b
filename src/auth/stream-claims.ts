import { CLAIMED_OPERATIONS } from "../protocol/app-call.ts";
import type { ClaimedOperation, StreamOperation } from "../protocol/app-call.ts";
import { canonicalizePattern, coversPattern, matchesGlob } from "../protocol/durable-streams/glob.ts";
import { ChanctlError } from "../shared/errors.ts";

/** What a token allows: operations on the streams that a pattern covers. */
export interface StreamClaim {
  /** In its one form, like the paths that it is compared with. */
  readonly path: string;
  readonly operations: ReadonlySet<ClaimedOperation>;
}

/**
 * Reads the `streams` claim: `[{ "path": "jobs/*", "operations": ["read"] }]`. What is not understood allows nothing.
 */
export function parseStreamClaims(claim: unknown): StreamClaim[] {
  if (!Array.isArray(claim)) return [];
  return claim.flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || !("path" in entry) || !("operations" in entry))
      return [];
    const { path, operations } = entry;
    const canonical = typeof path === "string" ? toCanonical(path) : undefined;
    if (canonical === undefined || !Array.isArray(operations)) return [];
    return [{ path: canonical, operations: new Set(operations.filter(isOperation)) }];
  });
}

function isOperation(value: unknown): value is ClaimedOperation {
  return CLAIMED_OPERATIONS.some((operation) => operation === value);
}

function toCanonical(path: string): string | undefined {
  try {
    return canonicalizePattern(path);
  } catch (error) {
    if (error instanceof ChanctlError) return undefined;
    throw error;
  }
}

/** Whether any claim allows the operation on a stream. */
export function isClaimed(
  claims: readonly StreamClaim[],
  { path, operation }: { readonly path: string; readonly operation: StreamOperation },
): boolean {
  return claims.some((claim) => claim.operations.has(operation) && matchesGlob(claim.path, path));
}

/**
 * Whether any claim allows to subscribe to all that a pattern may ever match: `jobs/**` covers `jobs/*`, and `jobs/*`
 * does not cover `jobs/**`.
 *
 * @param pattern in its one form; the path of one stream is a pattern, too.
 */
export function isSubscribable(claims: readonly StreamClaim[], pattern: string): boolean {
  return claims.some((claim) => claim.operations.has("subscribe") && coversPattern(claim.path, pattern));
}

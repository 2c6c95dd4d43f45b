import { matchesGlob } from "../protocol/durable-streams/glob.ts";

/** What may be done with a stream of Durable Streams; `subscribe` is to make a subscription of its patterns. */
export type StreamOperation = "create" | "read" | "append" | "close" | "delete" | "subscribe";

const OPERATIONS: readonly string[] = ["create", "read", "append", "close", "delete", "subscribe"];

/** What a token allows: operations on the streams that a pattern covers. */
export interface StreamClaim {
  readonly path: string;
  readonly operations: ReadonlySet<StreamOperation>;
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
    if (typeof path !== "string" || !Array.isArray(operations)) return [];
    return [{ path, operations: new Set(operations.filter(isOperation)) }];
  });
}

function isOperation(value: unknown): value is StreamOperation {
  return typeof value === "string" && OPERATIONS.includes(value);
}

/** Whether any claim allows the operation on a stream. */
export function isClaimed(
  claims: readonly StreamClaim[],
  { path, operation }: { readonly path: string; readonly operation: StreamOperation },
): boolean {
  return claims.some((claim) => claim.operations.has(operation) && matchesGlob(claim.path, path));
}

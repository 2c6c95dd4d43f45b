import type { Allowed, HeaderCredential, Rejected, StreamOperation } from "../protocol/app-call.ts";

/** What `authorizeStream` is told about a caller. */
export interface StreamRequest {
  /** The stream's path, each segment percent-encoded: `jobs/42`. */
  readonly stream: string;
  readonly operation: StreamOperation;
  /** Always Durable Streams. */
  readonly transport: "ds";
  /** What the caller's `Authorization` header says, or a `?token=` that stands in for it. */
  readonly header?: HeaderCredential;
  /** The caller's whole `Cookie` header: which of its cookies counts, the app knows. */
  readonly cookie?: string;
  readonly origin?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  /** Whom the caller's JWT names, where the broker verifies JWTs (`jwt` in the config). */
  readonly subject?: string;
}

/** Says who may do what with raw streams, those that are no channel's. Whatever it throws keeps the caller out. */
export type AuthorizeStream = (request: StreamRequest) => Allowed | Rejected | Promise<Allowed | Rejected>;

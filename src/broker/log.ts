import type { Operation, Result } from "./operation.ts";

/** An operation and what it came to, after the commit. */
export interface Committed {
  readonly operation: Operation;
  readonly result: Result;
}

/**
 * The seam between whoever changes streams and wherever they are stored: this process, a parent process, or a
 * replicated log.
 *
 * An implementation MUST tell its followers before it resolves the proposal, in commit order, and MUST do
 * neither before the commit is durable. It MUST NOT split the operations of one proposal over two commits.
 */
export interface Log {
  /**
   * Proposes operations that commit together.
   *
   * @returns One result an operation, in order, once all are durable.
   * @throws {ChanctlError} `store_full`, `store_unavailable`: whether they were stored is unknown; a repeat
   *   with the same key is harmless.
   */
  propose(operations: readonly Operation[]): Promise<readonly Result[]>;
  /** Tells the follower of each batch that commits from now on. Returns how to stop. */
  follow(follower: Follower): () => void;
}

/** Somebody who hears of what was committed. */
export interface Follower {
  onCommitted(batch: readonly Committed[]): void;
  /** Something may have been committed that nobody was told of: look at the store. */
  onUncertain?(): void;
}

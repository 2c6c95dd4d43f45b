import type { Deleted, DeleteOperation, StreamRefused } from "./stream-operation.ts";
import type { StreamRecord } from "./stream-table.ts";
import type { SubscriptionTables } from "./apply-subscription.ts";

/**
 * Makes the part of `apply` that deletes streams of Durable Streams, asked for or because they have expired.
 *
 * @see PROTOCOL.md, section 4.2, Soft-delete and lifecycle
 */
export function createDelete({
  streams,
  links,
  subscriptions,
}: SubscriptionTables): (
  operation: DeleteOperation,
) => Deleted | StreamRefused | { readonly kind: "unchanged" } {
  return function remove({ path, incarnation, touchedAt }) {
    const stream = streams.byPath(path);
    if (incarnation !== undefined && stream?.incarnation !== incarnation) return { kind: "unchanged" };
    if (stream === undefined) return { kind: "refused", reason: "unknown" };
    // An append that was accepted while its end was noticed has begun its time anew.
    if (touchedAt !== undefined && stream.touchedAt > touchedAt) return { kind: "unchanged" };
    if (stream.isDeleted === 1) return { kind: "refused", reason: "soft-deleted" };
    if (streams.hasForks(stream.incarnation)) streams.softDelete(stream.id);
    else removeWithSources(stream);
    links.noteDeleted(path);
    subscriptions.forgetWakes(path);
    return { kind: "deleted", incarnation: stream.incarnation };
  };

  /** A source that was kept for this fork alone goes with it, and so on up the chain. */
  function removeWithSources(stream: StreamRecord): void {
    let next: StreamRecord | undefined = stream;
    while (next !== undefined) {
      streams.remove(next);
      const source: StreamRecord | undefined =
        next.parent === null ? undefined : streams.byIncarnation(next.parent);
      next = source?.isDeleted === 1 && !streams.hasForks(source.incarnation) ? source : undefined;
    }
  }
}

import type { Database } from "better-sqlite3";
import { createAppend } from "./apply-append.ts";
import { createCreate } from "./apply-create.ts";
import { createDelete } from "./apply-delete.ts";
import { createLeaseApply } from "./apply-lease.ts";
import { createMaintenanceApply } from "./apply-maintenance.ts";
import { createSetRetention } from "./apply-set-retention.ts";
import { createSubscriptionApply } from "./apply-subscription.ts";
import { createWakeApply } from "./apply-wake.ts";
import { createWrite } from "./apply-write.ts";
import { createKeyTable } from "./key-table.ts";
import { createNextIncarnation } from "./next-incarnation.ts";
import { createStreamTable } from "./stream-table.ts";
import { createSubscriptionLinks } from "./subscription-links.ts";
import { createSubscriptionTable } from "./subscription-table.ts";
import type { Operation, Result } from "./operation.ts";

/** Applies one operation to the store. Must run inside a transaction. */
export type Apply = (operation: Operation) => Result;

/**
 * Makes `apply` for an open, migrated database.
 *
 * Deterministic: no clock, no randomness, no I/O but the database. The same operations in the same order give
 * the same rows.
 */
export function createApply(db: Database): Apply {
  const nextIncarnation = createNextIncarnation(db);
  const keys = createKeyTable(db);
  const streams = createStreamTable(db);
  const subscriptions = createSubscriptionTable(db);
  const links = createSubscriptionLinks(db);
  const append = createAppend(db, { streams, keys, nextIncarnation });
  const setRetention = createSetRetention(db);
  const maintenance = createMaintenanceApply(db, { streams, nextIncarnation });
  const create = createCreate({ streams, links, nextIncarnation });
  const write = createWrite({ streams, links });
  const remove = createDelete({ streams, links, subscriptions });
  const tables = { streams, subscriptions, links };
  const config = createSubscriptionApply(tables, nextIncarnation);
  const wakes = createWakeApply(tables);
  const leases = createLeaseApply(tables);

  return function apply(operation) {
    switch (operation.kind) {
      case "append":
        return append(operation);
      case "set-retention":
        return setRetention(operation);
      case "trim":
        return maintenance.trim(operation);
      case "drop":
        return maintenance.drop(operation);
      case "sweep":
        return maintenance.sweep();
      case "rotate-keys":
        keys.rotate(operation);
        return { kind: "unchanged" };
      case "create":
        return create(operation);
      case "write":
        return write(operation);
      case "delete":
        return remove(operation);
      case "touch":
        streams.touch(operation.incarnation, operation.time);
        return { kind: "unchanged" };
      case "forget-producers":
        return maintenance.forgetProducers(operation);
      case "subscribe":
        return config.subscribe(operation);
      case "unsubscribe":
        return config.unsubscribe(operation);
      case "link-streams":
        return config.linkStreams(operation);
      case "unlink-stream":
        return config.unlinkStream(operation);
      case "wake":
        return wakes.wake(operation);
      case "end-lease":
        return wakes.endLease(operation);
      case "delivered":
        return wakes.delivered(operation);
      case "delivery-failed":
        return wakes.deliveryFailed(operation);
      case "claim":
        return leases.claim(operation);
      case "ack":
        return leases.ack(operation);
      case "release":
        return leases.release(operation);
      case "set-signing-key": {
        const kept = subscriptions.signingKey();
        if (kept === undefined) subscriptions.setSigningKey(operation.privateKey);
        return { kind: "signing-key", privateKey: kept ?? operation.privateKey };
      }
      default:
        return operation satisfies never;
    }
  };
}

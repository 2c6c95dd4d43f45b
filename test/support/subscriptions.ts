import type { AckOperation, SubscribeOperation } from "#src/broker/subscription-operation.ts";
import type { CreateOperation, WriteOperation } from "#src/broker/stream-operation.ts";
import type { MemoryStore } from "./memory-store.ts";
import { NOON } from "./operations.ts";

/** The PUT of a JSON stream at a path of the store, empty but for what is given. */
export function create(path: string, options: Partial<CreateOperation> = {}): CreateOperation {
  return {
    kind: "create",
    path,
    time: NOON,
    mediaType: "application/json",
    closes: false,
    bodies: [],
    ...options,
  };
}

/** A POST of messages to a JSON stream. */
export function write(path: string, ...bodies: readonly string[]): WriteOperation {
  return { kind: "write", path, time: NOON, mediaType: "application/json", bodies, closes: false };
}

type SubscribeGiven = Partial<Omit<SubscribeOperation, "kind" | "config">> & {
  readonly config?: Partial<SubscribeOperation["config"]>;
};

/** The PUT of a pull-wake subscription to `events/*`, but for what is given. */
export function subscribe({ config, ...rest }: SubscribeGiven = {}): SubscribeOperation {
  const isWebhook = config?.type === "webhook";
  return {
    kind: "subscribe",
    id: "sub",
    time: NOON,
    config: {
      type: "pull-wake",
      ...(rest.streams === undefined ? { pattern: "events/*" } : {}),
      ...(isWebhook ? { webhookUrl: "https://worker.example/hook" } : { wakeStream: "/wake/pool" }),
      leaseTtlMs: 30_000,
      ...config,
    },
    streams: [],
    configHash: "a",
    baseUrl: "https://server.example/ds",
    ...rest,
  };
}

/** What a worker sends that has claimed a wake. */
export function ack(
  claimed: { readonly subscription: number; readonly generation: number; readonly wakeId: string },
  { acks = [], ...rest }: Partial<Omit<AckOperation, "kind">> = {},
): AckOperation {
  const { subscription, generation, wakeId } = claimed;
  return {
    kind: "ack",
    id: "sub",
    subscription,
    tokenGeneration: generation,
    generation,
    wakeId,
    acks,
    isDone: true,
    time: NOON,
    ...rest,
  };
}

/** The incarnation that a subscription has now; 0 if there is none. */
export function incarnationOf(store: MemoryStore, id = "sub"): number {
  const rows = store.dump("subscriptions")["subscriptions"] as { id: string; incarnation: number }[];
  return rows.find((row) => row.id === id)?.incarnation ?? 0;
}

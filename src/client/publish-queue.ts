import { ChannelError } from "./channel-error.ts";
import { PUBLISH_PAUSE_MS } from "./limits.ts";

/** What is published. */
export interface Draft {
  readonly type: string;
  readonly data: unknown;
}

/** A publish on its way. */
export interface Publish {
  /** Makes a repeat harmless. */
  readonly key: string;
  /** `{"type","data"}`. */
  readonly json: string;
}

/** What has become of an attempt to publish. */
export type Settled =
  | { readonly kind: "stored"; readonly id: string }
  | { readonly kind: "refused"; readonly error: ChannelError }
  /** The same may pass later. */
  | { readonly kind: "passing"; readonly afterMs?: number | undefined };

/** A way to publish; what becomes of each is told to `settle`. */
export interface Courier {
  /** How many may be under way at once. */
  readonly window: number;
  readonly send: (publish: Publish) => void;
}

/** What is to be published, in order, until it is stored or refused. */
export interface PublishQueue {
  /** Resolves once the message is durable. @throws {ChannelError} `queue_full`, or what the server refused it with. */
  add(message: Draft): Promise<{ readonly id: string }>;
  /** From now on by this courier; what is not known to be stored is sent again. Without one, it waits. */
  readonly use: (courier: Courier | undefined) => void;
  readonly settle: (key: string, settled: Settled) => void;
  /** Gives up what waits. Of what was sent it is not known whether it is stored. */
  readonly close: (error: ChannelError) => void;
}

interface Waiting extends Publish {
  isSent: boolean;
  readonly resolve: (stored: { readonly id: string }) => void;
  readonly reject: (error: ChannelError) => void;
}

/**
 * Makes a queue for at most `max` publishes. Each goes with a key of its own, so that it may be sent again by
 * whatever way there is, and is stored once.
 */
export function createPublishQueue(max: number): PublishQueue {
  const queue = new Map<string, Waiting>();
  let courier: Courier | undefined;
  let pause: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    if (!courier || pause) return;
    let underWay = 0;
    for (const waiting of queue.values()) {
      if (++underWay > courier.window) return;
      if (waiting.isSent) continue;
      waiting.isSent = true;
      courier.send(waiting);
    }
  };
  const resume = (): void => {
    clearTimeout(pause);
    pause = undefined;
    flush();
  };
  const use: PublishQueue["use"] = (next) => {
    if (next === courier) return;
    courier = next;
    for (const waiting of queue.values()) waiting.isSent = false;
    resume();
  };
  return {
    use,
    add: ({ type, data }) =>
      new Promise((resolve, reject) => {
        if (queue.size >= max) throw new ChannelError("queue_full", `at most ${max} publishes may wait`);
        // `randomUUID` is there only where a page is served by HTTPS.
        const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
        queue.set(key, { key, json: JSON.stringify({ type, data }), isSent: false, resolve, reject });
        flush();
      }),
    settle(key, settled) {
      const waiting = queue.get(key);
      if (!waiting) return;
      if (settled.kind === "passing") {
        waiting.isSent = false;
        // One pause for all: each on its own would come back as fast as it is refused.
        pause ??= setTimeout(resume, Math.max(settled.afterMs ?? 0, PUBLISH_PAUSE_MS));
        return;
      }
      queue.delete(key);
      if (settled.kind === "stored") waiting.resolve({ id: settled.id });
      else waiting.reject(settled.error);
      flush();
    },
    close(error) {
      use(undefined);
      for (const { reject } of queue.values()) reject(error);
      queue.clear();
    },
  };
}

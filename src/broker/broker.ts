import { createHash } from "node:crypto";
import { ChanctlError } from "../shared/errors.ts";
import { createLimitLog } from "../shared/limit-log.ts";
import type { Limits } from "../shared/limits.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";
import type { Logger } from "../shared/logger.ts";
import { messageTemplate } from "../protocol/message.ts";
import type { Draft } from "../protocol/message.ts";
import { compareOffsets, encodeOffset, ORIGIN } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import type { Start } from "../protocol/start.ts";
import { Clock } from "./clock.ts";
import { Hub } from "./hub.ts";
import { toRepeat } from "./key-row.ts";
import { Maintenance } from "./maintenance.ts";
import type { AppendKey, Result } from "./operation.ts";
import { Pages } from "./pages.ts";
import { replayWindowExceeded, resolveStartOffset } from "./start-offset.ts";
import { Store } from "./store.ts";
import { Subscriber } from "./subscriber.ts";
import type { Sink } from "./subscriber.ts";
import { UnsentBudget } from "./unsent-budget.ts";

export interface BrokerOptions {
  /** Where the store is. */
  readonly folder: string;
  readonly logger: Logger;
  /** Names who has the store, should it be in use: "pid 812". */
  readonly holder?: () => string | undefined;
  /** Past this many unsent bytes a subscriber is no longer pushed to; and all of them together. */
  readonly limits: Pick<Limits, "maxUnsentBytes" | "maxUnsentBytesTotal">;
}

export interface PublishRequest {
  /** The stream's canonical path. */
  readonly path: string;
  /** The channel's name, as messages carry it. */
  readonly channel: string;
  readonly lifecycle: Lifecycle;
  /** Stored together or not at all. */
  readonly drafts: readonly Draft[];
  readonly publisher: Publisher;
  /** Makes a repeat harmless: it gets the ids of the first time. */
  readonly key?: string;
  /** What the publisher sent, where the app has changed it: a repeat is known by what was sent. @default drafts */
  readonly sent?: readonly Draft[];
}

/** What a publish is known again by. */
export interface KeyedPublish extends Pick<PublishRequest, "path" | "publisher"> {
  readonly key: string;
  /** What the publisher sends. */
  readonly sent: readonly Draft[];
}

/** Who publishes: the app itself, or a client with the subject that the app gave it, if any. */
export type Publisher = { readonly kind: "app" } | { readonly kind: "client"; readonly subject?: string };

export interface SubscribeRequest {
  readonly path: string;
  readonly start: Start;
  /** How far back this reader may go, in ms; asked again whenever it matters. */
  readonly replayWindowMs: () => number;
  /** How long the stream is kept at least once this reader has left, in ms; 0 is for ever. @default its own TTL */
  readonly keepMs?: () => number | undefined;
}

/** A place in a stream that is held for one connection. */
export interface Followed {
  /** Where reading has come to. */
  readonly position: Offset;
  /**
   * Sends what follows until the signal aborts. Call it once.
   *
   * @throws {ChanctlError} `replay_window_exceeded` if the reader fell out of its window.
   */
  run(sink: Sink, signal: AbortSignal): Promise<void>;
  /** Gives the place up. */
  close(): void;
}

/** The log, its readers and its upkeep: all that the transports need to know. */
export class Broker {
  readonly #store: Store;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #maintenance: Maintenance;
  readonly #pages: Pages;
  readonly #unsent: UnsentBudget;

  /** @throws {ChanctlError} `store_in_use`, `store_newer`, `store_invalid`. */
  static async open(options: BrokerOptions): Promise<Broker> {
    return new Broker(await Store.open(options), options);
  }

  private constructor(store: Store, { logger, limits }: BrokerOptions) {
    const { reader } = store;
    this.#store = store;
    this.#clock = new Clock({ notBefore: reader.lastTime(), logger });
    this.#hub = new Hub({ log: store, reader });
    this.#maintenance = new Maintenance({ log: store, reader, hub: this.#hub, clock: this.#clock, logger });
    this.#pages = new Pages(reader);
    this.#unsent = new UnsentBudget(limits, { onHit: createLimitLog(logger) });
  }

  /**
   * Stores messages.
   *
   * @returns Their ids, once they are durable.
   * @throws {ChanctlError} `key_reused`, `store_full`, `store_unavailable`.
   */
  async publish(request: PublishRequest): Promise<string[]> {
    const { path, channel, lifecycle, drafts, publisher, key, sent = drafts } = request;
    const from = publisher.kind === "client" ? publisher.subject : undefined;
    const [result] = await this.#store.propose([
      {
        kind: "append",
        path,
        time: this.#clock.now(),
        templates: drafts.map((draft) => messageTemplate({ channel, draft, from })),
        retention: lifecycle,
        ...(key === undefined ? {} : { key: toAppendKey({ path, publisher, key, sent }) }),
      },
    ]);
    return toIds(result, key);
  }

  /**
   * Whether this very publish was stored before, so that nobody need be asked about it again. `publish` decides all
   * the same: of two at once neither may be known here.
   *
   * @returns The ids of the first time; `undefined` if nothing is stored under the key.
   * @throws {ChanctlError} `key_reused`, `store_unavailable`.
   */
  recall(publish: KeyedPublish): string[] | undefined {
    const appendKey = toAppendKey(publish);
    const known = this.#store.reader.key(publish.path, appendKey);
    return known === undefined ? undefined : toIds(toRepeat(known, appendKey.fingerprint), publish.key);
  }

  /**
   * Gives all streams of a channel the lifecycle that its definition says now, those too that nobody publishes to.
   * Returns at once; what the disk does not take now is tried again.
   */
  setLifecycle(channel: string, lifecycle: Lifecycle): void {
    this.#maintenance.setRetention(channel, lifecycle);
  }

  /** The id of the stream's tail. */
  tail(path: string): string {
    const stream = this.#store.reader.stream(path);
    return encodeOffset(
      stream === undefined ? ORIGIN : { incarnation: stream.incarnation, position: stream.tail },
    );
  }

  /** How many live subscribers a stream has. */
  liveCount(path: string): number {
    return this.#hub.liveCount(path);
  }

  /**
   * Holds a place in a stream, from which a connection can be served when it is ready for bytes.
   *
   * @throws {ChanctlError} `replay_window_exceeded` if something after the start was missed.
   */
  follow({ path, start, replayWindowMs, keepMs }: SubscribeRequest): Followed {
    const { reader } = this.#store;
    const resolve = (): Offset =>
      resolveStartOffset(reader, {
        path,
        start,
        now: this.#clock.now(),
        replayWindowMs: replayWindowMs(),
      });
    // Entered first: the window then begins at or before the tail that is read next, so a live start needs no page.
    const stream = this.#hub.enter(path);
    let position: Offset;
    try {
      position = resolve();
    } catch (error) {
      this.#hub.leave(stream);
      throw error;
    }
    let isHeld = true;
    let subscriber: Subscriber | undefined;
    return {
      get position() {
        return subscriber?.position ?? position;
      },
      run: async (sink, signal) => {
        using share = this.#unsent.share(() => sink.unsentBytes);
        for (;;) {
          subscriber = new Subscriber({
            sink,
            stream,
            pages: this.#pages,
            position,
            notBefore: () => this.#clock.now() - replayWindowMs(),
            isOverBudget: share.isOver,
          });
          if ((await subscriber.run(signal)) === "aborted") return;
          // The oldest message may expire between the start and the first page: who asked for it, and for no id, goes on.
          const hasRead = compareOffsets(subscriber.position, position) !== 0;
          if (start.kind === "after" || start.kind === "live" || hasRead)
            throw replayWindowExceeded(reader, {
              path,
              now: this.#clock.now(),
              replayWindowMs: replayWindowMs(),
            });
          position = resolve();
        }
      },
      close: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#maintenance.keep(path, keepMs?.());
        this.#hub.leave(stream);
      },
    };
  }

  /** Commits what was accepted, then frees everything. */
  async close(): Promise<void> {
    await this.#maintenance.close();
    await this.#store.close();
    this.#hub.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws {ChanctlError} `key_reused`. */
function toIds(result: Result | undefined, key: string | undefined): string[] {
  if (result?.kind === "appended") {
    const { incarnation, first, count } = result;
    return Array.from({ length: count }, (_, index) =>
      encodeOffset({ incarnation, position: first + index + 1 }),
    );
  }
  if (result?.kind === "refused") {
    throw new ChanctlError("key_reused", `the idempotency key \`${key}\` was used for another message`);
  }
  throw new Error(`an append came to \`${result?.kind}\``);
}

function toAppendKey({ publisher, key, sent }: KeyedPublish): AppendKey {
  return { owner: ownerOf(publisher), key, fingerprint: fingerprintOf(sent) };
}

/** Keys of different publishers never meet; a subject can hold any text, so each kind has its own first letter. */
function ownerOf(publisher: Publisher): string {
  if (publisher.kind === "app") return "app";
  return publisher.subject === undefined ? "nobody" : `subject ${publisher.subject}`;
}

function fingerprintOf(drafts: readonly Draft[]): string {
  const texts = drafts.map(({ type, dataText }) => [type, dataText]);
  return createHash("sha256").update(JSON.stringify(texts)).digest("base64url");
}

import { createHash } from "node:crypto";
import { createLimitLog } from "../shared/limit-log.ts";
import type { Limits } from "../shared/limits.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";
import type { Logger } from "../shared/logger.ts";
import { messageTemplate } from "../protocol/message.ts";
import type { Draft } from "../protocol/message.ts";
import { encodeOffset, ORIGIN } from "../protocol/offset.ts";
import { Chunks } from "./chunks.ts";
import { Clock } from "./clock.ts";
import { follow } from "./follow.ts";
import type { Followed, FollowContext, SubscribeRequest } from "./follow.ts";
import { Hub } from "./hub.ts";
import { toRepeat } from "./key-table.ts";
import { Lifetimes } from "./lifetimes.ts";
import { toMessageIds } from "./message-ids.ts";
import { Maintenance } from "./maintenance.ts";
import type { AppendKey, Appended, Refused } from "./operation.ts";
import { Pages } from "./pages.ts";
import { SigningKeys } from "./signing-key.ts";
import { Store } from "./store.ts";
import type { StoreHolder } from "./store-lock.ts";
import type { ProducerStamp, StreamRefused } from "./stream-operation.ts";
import { Streams } from "./streams.ts";
import { SubscriptionScheduler } from "./subscription-scheduler.ts";
import { Subscriptions } from "./subscriptions.ts";
import { UnsentBudget } from "./unsent-budget.ts";
import type { WebhookSender } from "./webhook.ts";

export interface BrokerOptions {
  /** Where the store is. */
  readonly folder: string;
  readonly logger: Logger;
  /** Names who has the store, should it be in use: "pid 812". */
  readonly holder?: () => StoreHolder | undefined;
  /** Past this many unsent bytes a subscriber is no longer pushed to; and all of them together. */
  readonly limits: Pick<Limits, "maxUnsentBytes" | "maxUnsentBytesTotal">;
  /** Takes the webhooks of subscriptions to their receivers. @default none: nobody is woken */
  readonly webhookSender?: WebhookSender | undefined;
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
  /** Makes a repeat harmless in the way of Durable Streams. */
  readonly producer?: ProducerStamp;
  /** Must be greater than the last one of the stream, compared as text. */
  readonly seq?: string;
}

/** What a publish is known again by. */
export interface KeyedPublish extends Pick<PublishRequest, "path" | "publisher"> {
  readonly key: string;
  /** What the publisher sends. */
  readonly sent: readonly Draft[];
}

/** Who publishes: the app itself, or a client with the subject that the app gave it, if any. */
export type Publisher = { readonly kind: "app" } | { readonly kind: "client"; readonly subject?: string };

/** The log, its readers and its upkeep: all that the transports need to know. */
export class Broker {
  readonly #store: Store;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #maintenance: Maintenance;
  readonly #reading: FollowContext;
  /** The same streams, as Durable Streams has them. */
  readonly streams: Streams;
  /** Who is woken by those. */
  readonly subscriptions: Subscriptions;
  readonly #scheduler: SubscriptionScheduler | undefined;

  /** @throws {ChanctlError} `store_in_use`, `store_newer`, `store_invalid`. */
  static async open(options: BrokerOptions): Promise<Broker> {
    return new Broker(await Store.open(options), options);
  }

  private constructor(store: Store, { logger, limits, webhookSender: sender }: BrokerOptions) {
    const { reader } = store;
    this.#store = store;
    this.#clock = new Clock({ notBefore: reader.lastTime(), logger });
    this.#hub = new Hub({ log: store, reader });
    const parts = { log: store, reader, hub: this.#hub, clock: this.#clock };
    const lifetimes = new Lifetimes(parts);
    const maintenance = new Maintenance({ ...parts, lifetimes, logger });
    this.#maintenance = maintenance;
    const unsent = new UnsentBudget(limits, { onHit: createLimitLog(logger) });
    this.#reading = { ...parts, maintenance, pages: new Pages(reader), unsent };
    const chunks = new Chunks({ reader, unsent });
    this.streams = new Streams({ ...parts, lifetimes, reading: this.#reading, chunks });
    const keys = new SigningKeys({ log: store, reader: reader.subscriptions });
    const subscribing = { log: store, reader: reader.subscriptions, clock: this.#clock, keys };
    this.subscriptions = new Subscriptions(subscribing);
    this.#scheduler = sender && new SubscriptionScheduler({ ...subscribing, logger, sender });
  }

  /**
   * Stores messages.
   *
   * @returns Their ids, once they are durable.
   * @throws {ChanctlError} `key_reused`, `store_full`, `store_unavailable`.
   */
  async publish(request: PublishRequest): Promise<string[]> {
    return toMessageIds(await this.append(request), request);
  }

  /**
   * Stores messages, and says what came of it: a producer of Durable Streams may be refused.
   *
   * @throws {ChanctlError} `store_full`, `store_unavailable`.
   */
  async append(request: PublishRequest): Promise<Appended | Refused | StreamRefused> {
    const { producer, seq } = request;
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
        ...(producer === undefined ? {} : { producer }),
        ...(seq === undefined ? {} : { seq }),
      },
    ]);
    if (result?.kind === "appended" || result?.kind === "refused") return result;
    throw new Error(`an append came to \`${result?.kind}\``);
  }

  /**
   * Whether this very publish was stored before, so that nobody need be asked about it again. `publish` decides all
   * the same: of two at once neither may be known here.
   *
   * @returns What `append` would; `undefined` if nothing is stored under the key.
   * @throws {ChanctlError} `store_unavailable`.
   */
  recall(publish: KeyedPublish): Appended | Refused | undefined {
    const appendKey = toAppendKey(publish);
    const known = this.#store.reader.key(publish.path, appendKey);
    return known && toRepeat(known, appendKey.fingerprint);
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
  follow(request: SubscribeRequest): Followed {
    return follow(this.#reading, request);
  }

  /** Commits what was accepted, then frees everything. */
  async close(): Promise<void> {
    await this.#scheduler?.close();
    await this.#maintenance.close();
    await this.#store.close();
    this.#hub.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
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

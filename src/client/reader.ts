import type { Message } from "../protocol/message.ts";
import { backoffMs } from "./backoff.ts";
import type { ChannelError } from "./channel-error.ts";
import type { ResolvedOptions } from "./connect-options.ts";
import type { Ending, Gap } from "./ending.ts";
import { readEventStream } from "./event-stream-link.ts";
import { followLeader } from "./follow-leader.ts";
import type { Locks, TabFrame } from "./host.ts";
import type { LinkRequest, Ready } from "./link.ts";
import type { MessageFeed } from "./message-feed.ts";
import type { Courier, Settled } from "./publish-queue.ts";
import { watchSilence } from "./silence-watch.ts";
import { joinTabs } from "./tabs.ts";
import type { Tabs } from "./tabs.ts";
import type { TokenSource } from "./token-source.ts";
import { readWebSocket } from "./web-socket-link.ts";

/** What a reader works with, and whom it tells. */
export interface ReaderContext {
  readonly options: ResolvedOptions;
  readonly tokens: TokenSource;
  /** Reading stops while this is full. */
  readonly feed: MessageFeed<Message>;
  /** Publishes by POST. */
  readonly poster: Courier;
  readonly onMessage: (message: Message) => void;
  readonly onGap: (gap: Gap) => void;
  readonly onLive: (isLive: boolean) => void;
  /** How to publish from now on; `undefined`: not at all. */
  readonly onCourier: (courier: Courier | undefined) => void;
  readonly onSettled: (key: string, settled: Settled) => void;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** Reads a channel by one link after the other, each from the last id on: every message once, in order. */
export interface Reader {
  /** Reads until it is ended, or resolves with why the server does not let it. */
  readonly run: () => Promise<ChannelError | undefined>;
  /** Takes a new token: on the link of now where that can, else by a new one. Rejects as the app's function does. */
  readonly refresh: () => Promise<void>;
}

/** When what the app granted is refreshed, as a part of its time. */
const REFRESH_AFTER = 0.8;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Makes a reader. */
export function createReader(context: ReaderContext): Reader {
  const { options, tokens, feed, poster, onCourier, onGap, onLive, onMessage, onSettled } = context;
  let lastId = options.lastId;
  /** Ends the link of now. */
  let link = new AbortController();
  let ready: Ready | undefined;
  let tabs: Tabs | undefined;
  let isFollowing = false;
  let failures = 0;
  let refused: string | undefined;
  let postsAll = false;
  let { webSocket } = options;
  /** No WebSocket could be opened just now. */
  let fallsBack = false;
  let expiry: ReturnType<typeof setTimeout> | undefined;
  let wake = (): void => {};

  const leave = (): void => link.abort();
  const hear = watchSilence({
    silenceMs: options.silenceMs,
    ping: () => ready?.ping,
    onSilent: () => isFollowing || leave(),
    onAwake: () => wake(),
    onTick: () => isFollowing || tabs?.isLeader() || tabs?.tell({ kind: "ask" }),
    signal: context.signal,
  });
  context.signal.addEventListener("abort", () => {
    leave();
    wake();
  });

  const tellTabs = (): void => tabs?.tell({ kind: "at", id: lastId, isLive: ready !== undefined });

  const setLive = (isLive: boolean): void => {
    onLive(isLive);
    if (tabs?.isLeader()) tellTabs();
  };

  /** Ids sort as text; what comes a second time, by another link or another tab, is not told again. */
  const deliver = (message: Message): void => {
    const after = lastId ?? "";
    if (message.id <= after) return;
    lastId = message.id;
    if (tabs?.isLeader()) tabs.tell({ kind: "message", after, message });
    onMessage(message);
    if (feed.isFull()) leave();
  };

  const refresh = async (): Promise<void> => {
    const asked = ready;
    const token = await tokens.next();
    if (!asked || asked !== ready) return;
    if (asked.authenticate && token) asked.authenticate(token);
    else leave();
  };

  const begin = (opened: Ready): void => {
    const { id, courier = poster, expiresInMs } = opened;
    ready = opened;
    failures = 0;
    refused = undefined;
    lastId ??= id;
    setLive(true);
    onCourier(postsAll ? poster : courier);
    clearTimeout(expiry);
    if (expiresInMs === undefined || !tokens.isRenewable) return;
    // What cannot be refreshed in time ends, and is made anew.
    const refreshInTime = (): void => void refresh().catch(() => {});
    expiry = setTimeout(refreshInTime, Math.min(expiresInMs * REFRESH_AFTER, MAX_TIMER_MS));
  };

  /** What other tabs say while this one reads for itself. */
  const hearTab = (frame: TabFrame): void => {
    if (tabs?.isLeader()) {
      if (frame.kind === "ask") tellTabs();
    } else if (ready && lastId !== undefined) {
      // Caught up with the leader: what comes next comes from there.
      if (frame.kind === "message" && lastId >= frame.after) deliver(frame.message);
      else if (frame.kind !== "at" || !frame.isLive || !frame.id || lastId < frame.id) return;
      leave();
    }
  };

  const read = async (signal: AbortSignal): Promise<Ending> => {
    const url = new URL(options.startUrl);
    if (lastId !== undefined) url.searchParams.set("last_message_id", lastId); // comes before `rewind`
    const token = await tokens.next(refused);
    if (tabs) tabs.onFrame = hearTab;
    const request: LinkRequest = {
      url,
      token,
      signal,
      onReady: (opened) => signal.aborted || begin(opened),
      onMessage: (message) => signal.aborted || deliver(message),
      onHeard: hear,
      onSettled,
    };
    // A server that is down and a proxy that lets no WebSocket through look the same: each time both are tried.
    const way = fallsBack ? undefined : webSocket;
    fallsBack = false;
    return way ? readWebSocket(way, request) : readEventStream(request);
  };

  const follow = (tabs: Tabs, signal: AbortSignal): Promise<Ending> =>
    followLeader({
      tabs,
      signal,
      position: () => lastId,
      startsLive: options.startUrl === options.url,
      onReady: ({ id, isLive }) => {
        lastId ??= id;
        onLive(isLive);
        // Each tab publishes for itself, as whoever it shows to be.
        onCourier(isLive ? poster : undefined);
      },
      onMessage: deliver,
    });

  /** Runs a link to its end, which is at once where `link` is aborted. */
  const open = async (run: (signal: AbortSignal) => Promise<Ending>): Promise<Ending> => {
    link = new AbortController();
    const { signal } = link;
    const left = new Promise<Ending>((resolve) => {
      signal.addEventListener("abort", () => resolve({ kind: "left" }));
    });
    hear();
    // What rejects is the app's `token`: it may do better next time.
    const ending = await Promise.race([run(signal).catch((): Ending => ({ kind: "lost" })), left]);
    ready = undefined;
    clearTimeout(expiry);
    leave();
    onCourier(undefined);
    return ending;
  };

  /** Decides what comes after a link. @returns why nothing does. */
  const prepare = async (ending: Ending): Promise<ChannelError | undefined> => {
    if (ending.kind === "refused") {
      const { error } = ending;
      // Once more with another token; refused again, it is over.
      if (error.status !== 401 || !tokens.isRenewable || refused !== undefined) return error;
      refused = await tokens.last();
    } else if (ending.kind === "unsuited") {
      const { error } = ending;
      if (options.transport === "ws") return error;
      if (error) webSocket = undefined;
      fallsBack = true;
    } else if (ending.kind === "gap") {
      lastId = undefined;
      tabs?.tell({ kind: "gap" });
      onGap(ending.gap);
    } else if (ending.kind === "too-big") postsAll = true;
    return undefined;
  };

  /** What the server asked for comes first. A way that is closed is followed by another at once. */
  const pauseMs = (ending: Ending & { readonly afterMs?: number | undefined }): number => {
    if (fallsBack || ending.kind === "refused") return 0;
    const { afterMs } = ending;
    const backoff = backoffMs(failures++);
    return failures > 1 ? Math.max(afterMs ?? 0, backoff) : (afterMs ?? backoff);
  };

  const pause = async (ms: number): Promise<void> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, context.signal.aborted ? 0 : ms);
    });
    clearTimeout(timer);
  };

  const join = async (locks: Locks): Promise<Tabs> => {
    // Tabs that show different tokens may be different people, and do not share.
    const token = await tokens.last().catch(() => {});
    return joinTabs({
      locks,
      name: `chanctl ${options.url} ${hash(token ?? "")}`,
      onLead: () => (isFollowing ? leave() : tellTabs()),
      signal: context.signal,
    });
  };

  return {
    refresh,
    async run() {
      if (options.locks) tabs = await join(options.locks);
      while (!context.signal.aborted) {
        if (feed.isFull()) {
          // Whoever takes its messages slowly holds up neither other tabs nor what is published here.
          tabs?.resign();
          onCourier(poster);
          await feed.room();
        }
        // Whoever follows until that does not do, reads once for itself.
        const followed = isFollowing || tabs?.isLeader() ? undefined : tabs;
        isFollowing = followed !== undefined;
        const ending = await open((signal) => (followed ? follow(followed, signal) : read(signal)));
        if (ending.kind === "left") continue;
        const error = await prepare(ending);
        if (error) return error;
        setLive(false);
        await pause(pauseMs(ending));
      }
      return undefined;
    },
  };
}

/** Enough to tell the users of one browser apart, and nothing of the token. */
function hash(text: string): number {
  let value = 0;
  for (const character of text) value = (Math.imul(value, 31) + character.charCodeAt(0)) | 0;
  return value;
}

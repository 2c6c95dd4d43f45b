import type { Message } from "../protocol/message.ts";
import type { ChannelError } from "./channel-error.ts";
import { withQuery } from "./connect-options.ts";
import type { ResolvedOptions } from "./connect-options.ts";
import type { Ending, Gap } from "./ending.ts";
import { readEventStream } from "./event-stream-link.ts";
import { followLeader } from "./follow-leader.ts";
import type { TabFrame } from "./host.ts";
import { MAX_TIMER_MS, REFRESH_AFTER } from "./limits.ts";
import type { LinkRequest, Ready } from "./link.ts";
import type { MessageFeed } from "./message-feed.ts";
import { toNextStep } from "./next-step.ts";
import type { Courier, PublishQueue } from "./publish-queue.ts";
import { watchSilence } from "./silence-watch.ts";
import { joinTabs } from "./tabs.ts";
import type { Tabs } from "./tabs.ts";
import type { TokenSource } from "./token-source.ts";
import { readWebSocket } from "./web-socket-link.ts";

/** What a reader works with, and whom it tells. */
export interface ReaderContext {
  readonly options: ResolvedOptions;
  readonly tokens: TokenSource;
  /** Has each message; reading stops while it is full. */
  readonly feed: MessageFeed<Message>;
  /** Publishes while there is a courier: that of the link, or the poster. */
  readonly queue: PublishQueue;
  /** Publishes by POST. */
  readonly poster: Courier;
  /** Tells the handlers. */
  readonly emit: (...event: [name: "message", message: Message] | [name: "gap", gap: Gap]) => void;
  readonly onLive: (isLive: boolean) => void;
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

/** Makes a reader. */
export function createReader({
  options,
  tokens,
  feed,
  queue,
  poster,
  emit,
  onLive,
  signal: closing,
}: ReaderContext): Reader {
  let lastId = options.lastId;
  /** Ends the link of now. */
  let link: AbortController | undefined;
  let ready: Ready | undefined;
  let tabs: Tabs | undefined;
  let isFollowing = false;
  let failures = 0;
  /** The token of the link, and whether it was refused. */
  let shown: string | undefined;
  let isRefused = false;
  let postsAll = false;
  let { webSocket } = options;
  /** No WebSocket could be opened just now. */
  let fallsBack = false;
  let expiry: ReturnType<typeof setTimeout> | undefined;
  let wake: (() => void) | undefined;

  const leave = (): void => link?.abort();
  const hear = watchSilence({
    silenceMs: options.silenceMs,
    ping: () => ready?.ping,
    onSilent: () => isFollowing || leave(),
    onAwake: () => wake?.(),
    onTick: () => isFollowing || tabs?.isLeader() || tabs?.tell({ kind: "ask" }),
    signal: closing,
  });
  closing.addEventListener("abort", () => {
    leave();
    wake?.();
  });

  const tellPosition = (): void => tabs?.tell({ kind: "at", id: lastId, isLive: ready !== undefined });

  const setLive = (isLive: boolean): void => {
    onLive(isLive);
    if (tabs?.isLeader()) tellPosition();
  };

  /** Ids sort as text; what comes a second time, by another link or another tab, is not told again. */
  const deliver = (message: Message): void => {
    const after = lastId ?? "";
    if (message.id <= after) return;
    lastId = message.id;
    if (tabs?.isLeader()) tabs.tell({ kind: "message", after, message });
    feed.push(message);
    emit("message", message);
    if (feed.isFull()) leave();
  };

  const refresh = async (): Promise<void> => {
    const asked = ready;
    const token = await tokens.next();
    if (!asked || asked !== ready) return;
    if (asked.authenticate && token) asked.authenticate((shown = token));
    else leave();
  };

  const begin = (opened: Ready): void => {
    const { id, courier = poster, expiresInMs } = opened;
    ready = opened;
    failures = 0;
    isRefused = false;
    lastId ??= id;
    setLive(true);
    queue.use(postsAll ? poster : courier);
    clearTimeout(expiry);
    if (expiresInMs === undefined || !tokens.isRenewable) return;
    // What cannot be refreshed in time ends, and is made anew.
    const refreshInTime = (): void => void refresh().catch(() => {});
    expiry = setTimeout(refreshInTime, Math.min(expiresInMs * REFRESH_AFTER, MAX_TIMER_MS));
  };

  /** What other tabs say while this one reads for itself. */
  const hearTab = (frame: TabFrame): void => {
    if (tabs?.isLeader()) {
      if (frame.kind === "ask") tellPosition();
    } else if (ready && lastId) {
      // Caught up with the leader: what comes next comes from there.
      if (frame.kind === "message" && lastId >= frame.after) deliver(frame.message);
      else if (frame.kind !== "at" || !frame.isLive || !frame.id || lastId < frame.id) return;
      leave();
    }
  };

  const read = async (signal: AbortSignal): Promise<Ending> => {
    const token = await tokens.next(isRefused ? shown : undefined);
    signal.throwIfAborted(); // left meanwhile: a link that is opened now nobody closes
    shown = token;
    if (tabs) tabs.onFrame = hearTab;
    const request: LinkRequest = {
      url: withQuery(options.startUrl, { last_message_id: lastId }), // comes before `rewind`
      token,
      signal,
      onReady: (opened) => signal.aborted || begin(opened),
      onMessage: (message) => signal.aborted || deliver(message),
      onHeard: hear,
      settle: queue.settle,
    };
    // A server that is down and a proxy that lets no WebSocket through look the same: each time both are tried.
    const way = !fallsBack && webSocket;
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
        queue.use(isLive ? poster : undefined);
      },
      onMessage: deliver,
    });

  /** Reads, or follows, to the end of that, which is at once where `link` is aborted. */
  const open = async (followed: Tabs | undefined): Promise<Ending> => {
    link = new AbortController();
    const { signal } = link;
    hear();
    const ending = await new Promise<Ending>((resolve) => {
      signal.addEventListener("abort", () => resolve({ kind: "left" }));
      // What rejects is the app's `token`: it may do better next time.
      (followed ? follow(followed, signal) : read(signal)).then(resolve, () => resolve({ kind: "lost" }));
    });
    ready = undefined;
    clearTimeout(expiry);
    leave();
    queue.use(undefined);
    return ending;
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, closing.aborted ? 0 : ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    refresh,
    async run() {
      const { locks, url } = options;
      if (locks) {
        const token = await tokens.last().catch(() => undefined);
        // Closed meanwhile: what is opened now nobody closes.
        if (closing.aborted) return undefined;
        const onLead = (): void => (isFollowing ? leave() : tellPosition());
        tabs = joinTabs({ locks, url, token, onLead, signal: closing });
      }
      while (!closing.aborted) {
        if (feed.isFull()) {
          // Whoever takes its messages slowly holds up neither other tabs nor what is published here.
          tabs?.resign();
          queue.use(poster);
          await feed.room();
        }
        // Whoever follows until that does not do, reads once for itself.
        const followed = isFollowing || tabs?.isLeader() ? undefined : tabs;
        isFollowing = followed !== undefined;
        const ending = await open(followed);
        if (ending.kind === "left") continue;
        if (ending.kind === "gap") {
          lastId = undefined;
          tabs?.tell({ kind: "gap" });
          emit("gap", ending.gap);
        }
        postsAll ||= ending.kind === "too-big";
        const next = toNextStep(ending, {
          failures,
          mayRenew: tokens.isRenewable && !isRefused,
          mayFallBack: options.transport !== "ws",
        });
        if (next.kind === "stop") return next.error;
        setLive(false);
        if (next.kind === "renew") isRefused = true;
        else if (next.kind === "fall-back") {
          fallsBack = true;
          if (next.isForGood) webSocket = undefined;
        } else {
          failures += 1;
          await pause(next.pauseMs);
        }
      }
      return undefined;
    },
  };
}

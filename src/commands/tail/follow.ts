import { setTimeout as delay } from "node:timers/promises";

import { encodeOffset, ORIGIN } from "../../protocol/offset.ts";
import type { SseItem } from "../../protocol/sse-parser.ts";
import { ChanctlError, ERRORS } from "../../shared/errors.ts";
import type { Target } from "../target/target.ts";
import { openEvents } from "./open-events.ts";
import type { TailStart } from "./tail-start.ts";

/** What a follower tells of its connection; the messages go on by themselves. */
export type FollowNotice =
  | { readonly kind: "connected"; readonly origin: string }
  | { readonly kind: "reconnecting"; readonly reason: string }
  /** Messages after `last` were missed that can no longer be read; it goes on with the oldest retained. */
  | { readonly kind: "gap"; readonly last: string | undefined; readonly oldest: string };

/** What is followed, and from where. */
export interface FollowOptions {
  /** Finds the server, anew for each connection: after a restart it may listen elsewhere. */
  readonly locate: () => Promise<Target>;
  readonly channel: string;
  readonly params: URLSearchParams;
  readonly start: TailStart;
  readonly onNotice: (notice: FollowNotice) => void;
  readonly signal: AbortSignal;
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 5_000;
const PASSING_STATUSES = new Set([429, 500, 502, 503, 504]);

/**
 * Yields what a channel's event stream holds, without gap or repeat: a connection that ends is made again
 * from the last id, for as long as it takes. Only the first one has to succeed at once.
 *
 * @throws {ChanctlError} `cannot_connect` or what the server refused it with.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<SseItem> {
  const { onNotice, signal } = options;
  let start = options.start;
  let isFirst = true;
  let delayMs = FIRST_DELAY_MS;
  for (;;) {
    const connection = await connect({ ...options, start, isFirst });
    if (connection.kind === "gap") {
      onNotice({ ...connection, last: start.lastEventId });
      start = { lastEventId: connection.oldest };
    } else if (connection.kind === "open") {
      onNotice({ kind: "connected", origin: connection.origin });
      isFirst = false;
      delayMs = FIRST_DELAY_MS;
      let ending = "";
      for await (const item of connection.items) {
        ending = item.kind === "comment" ? item.text : ""; // the last thing that a server says before it ends one
        if (item.kind === "retry") delayMs = item.retryMs;
        else if (item.kind !== "comment" && item.id !== "") start = { lastEventId: item.id };
        yield item;
      }
      // Of a channel that has been removed the next attempt says so, and is the last.
      if (ending !== ERRORS.channel_unknown.title)
        onNotice({ kind: "reconnecting", reason: ending || "the connection ended" });
    }
    await delay(delayMs * (0.5 + Math.random() / 2), undefined, { signal });
    delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
  }
}

type Connection =
  | { readonly kind: "open"; readonly origin: string; readonly items: AsyncGenerator<SseItem> }
  | { readonly kind: "gap"; readonly oldest: string }
  | { readonly kind: "unavailable" };

async function connect(options: FollowOptions & { isFirst: boolean }): Promise<Connection> {
  const { locate, channel, params, start, isFirst, signal } = options;
  const query = new URLSearchParams(params);
  if (start.rewind !== undefined) query.set("rewind", start.rewind);
  const path = `/channels/${channel}?${query.toString()}`;
  try {
    const target = await locate();
    const items = await openEvents(target, { path, lastEventId: start.lastEventId, signal });
    return { kind: "open", origin: target.url.origin, items };
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    if (error.code === "replay_window_exceeded") return { kind: "gap", oldest: oldestOf(error) };
    const isPassing = error.code === "cannot_connect" || PASSING_STATUSES.has(error.status);
    if (isFirst || !isPassing) throw error;
    return { kind: "unavailable" };
  }
}

function oldestOf({ fields }: ChanctlError): string {
  return typeof fields["oldest"] === "string" ? fields["oldest"] : encodeOffset(ORIGIN);
}

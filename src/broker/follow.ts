import { compareOffsets } from "../protocol/offset.ts";
import type { Offset } from "../protocol/offset.ts";
import type { Start } from "../protocol/start.ts";
import type { Clock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import type { StreamEnding } from "./live-stream.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Pages } from "./pages.ts";
import type { Reader } from "./reader.ts";
import { replayWindowExceeded, resolveStartOffset } from "./start-offset.ts";
import { Subscriber } from "./subscriber.ts";
import type { Sink } from "./subscriber.ts";
import type { UnsentBudget } from "./unsent-budget.ts";

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
   * Sends what follows until the stream is over or the signal aborts. Call it once.
   *
   * @returns Why the stream is over; `undefined` if the signal aborted.
   * @throws {ChanctlError} `replay_window_exceeded` if the reader fell out of its window.
   */
  run(sink: Sink, signal: AbortSignal): Promise<StreamEnding | undefined>;
  /** Gives the place up. */
  close(): void;
}

export interface FollowContext {
  readonly reader: Reader;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly pages: Pages;
  readonly maintenance: Pick<Maintenance, "keep">;
  readonly unsent: UnsentBudget;
}

/**
 * Holds a place in a stream, from which a connection can be served when it is ready for bytes.
 *
 * @throws {ChanctlError} `replay_window_exceeded` if something after the start was missed.
 */
export function follow(
  { reader, hub, clock, pages, maintenance, unsent }: FollowContext,
  { path, start, replayWindowMs, keepMs }: SubscribeRequest,
): Followed {
  const window = () => ({ path, now: clock.now(), replayWindowMs: replayWindowMs() });
  // Entered first: the window then begins at or before the tail that is read next, so a live start needs no page.
  const stream = hub.enter(path);
  let position: Offset;
  try {
    position = resolveStartOffset(reader, { ...window(), start });
  } catch (error) {
    hub.leave(stream);
    throw error;
  }
  let isHeld = true;
  let subscriber: Subscriber | undefined;
  return {
    get position() {
      return subscriber?.position ?? position;
    },
    run: async (sink, signal) => {
      using share = unsent.share(() => sink.unsentBytes);
      for (;;) {
        subscriber = new Subscriber({
          sink,
          stream,
          pages,
          position,
          notBefore: () => clock.now() - replayWindowMs(),
          isOverBudget: share.isOver,
        });
        const end = await subscriber.run(signal);
        if (end === "aborted") return undefined;
        if (end !== "gone") return end;
        // The oldest message may expire between the start and the first page: who asked for it, and for no id, goes on.
        const hasRead = compareOffsets(subscriber.position, position) !== 0;
        if (start.kind === "after" || start.kind === "live" || hasRead)
          throw replayWindowExceeded(reader, window());
        position = resolveStartOffset(reader, { ...window(), start });
      }
    },
    close: () => {
      if (!isHeld) return;
      isHeld = false;
      maintenance.keep(path, keepMs?.());
      hub.leave(stream);
    },
  };
}

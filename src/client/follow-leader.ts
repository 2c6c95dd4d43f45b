import type { Message } from "../protocol/message.ts";
import type { Ending } from "./ending.ts";
import { ASK_LEADER_EVERY_MS, LEADER_MS } from "./limits.ts";
import type { Tabs } from "./tabs.ts";

interface Following {
  readonly tabs: Tabs;
  /** After which message we are; `undefined`: we have not begun. */
  readonly position: () => string | undefined;
  /** Where we have not begun, the live tail will do. */
  readonly startsLive: boolean;
  readonly signal: AbortSignal;
  readonly onReady: (ready: { readonly id: string; readonly isLive: boolean }) => void;
  readonly onMessage: (message: Message) => void;
}

/**
 * Reads what the leader's tab tells, until this tab has to read for itself: the leader is silent, or has told of
 * something that comes not right after what was read here.
 *
 * ```
 *  leader   … ──m4──m5──m6──►      every message goes with the id before it: (m5, after m4)
 *  here     … ──m4                 m5 fits; m6 alone would not: m5 is read from the server first
 * ```
 */
export function followLeader({
  tabs,
  position,
  startsLive,
  signal,
  onReady,
  onMessage,
}: Following): Promise<Ending> {
  return new Promise((resolve) => {
    const leave = (): void => {
      clearTimeout(timer);
      tabs.onFrame = () => {};
      resolve({ kind: "left" });
    };
    const ask = (): ReturnType<typeof setTimeout> => {
      tabs.tell({ kind: "ask" });
      return setTimeout(leave, LEADER_MS);
    };
    let timer = ask();
    signal.addEventListener("abort", leave);
    tabs.onFrame = (frame) => {
      const at = position();
      if (frame.kind === "gap") leave();
      else if (frame.kind === "at") {
        clearTimeout(timer);
        timer = setTimeout(() => (timer = ask()), ASK_LEADER_EVERY_MS);
        const { id, isLive } = frame;
        if (!id) return;
        if (at ? at >= id : startsLive) onReady({ id, isLive });
        else leave();
      } else if (frame.kind === "message" && at) {
        if (at < frame.after) leave();
        else onMessage(frame.message);
      }
    };
  });
}

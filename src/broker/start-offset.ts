import { ChanctlError } from "../shared/errors.ts";
import { encodeOffset, isOrigin, ORIGIN } from "../protocol/offset.ts";
import { offsetAt, positionIn } from "./stream-chain.ts";
import type { Offset } from "../protocol/offset.ts";
import type { Start } from "../protocol/start.ts";
import type { Reader } from "./reader.ts";
import type { StreamInfo } from "./stream-info.ts";

export interface StartRequest {
  readonly path: string;
  readonly start: Start;
  /** Now, in ms since 1970. */
  readonly now: number;
  /** How far back this reader may go, in ms. */
  readonly replayWindowMs: number;
}

/**
 * Where a reader begins.
 *
 * @throws {ChanctlError} `replay_window_exceeded` with `oldest` and `newest`, if something after the id that was
 *   asked for was missed and can no longer be read. Who missed nothing is never refused, even if all that was
 *   read before is gone.
 */
export function resolveStartOffset(
  reader: Reader,
  { path, start, now, replayWindowMs }: StartRequest,
): Offset {
  const stream = reader.stream(path);
  if (stream === undefined) {
    if (start.kind === "after" && !isOrigin(start.offset)) throw gone(ORIGIN, ORIGIN);
    return ORIGIN;
  }
  const chain = reader.chainOf(stream);
  const at = (position: number): Offset => offsetAt(chain, position);
  const notBefore = now - replayWindowMs;
  const oldest = (): number => oldestPosition(reader, stream, notBefore);
  switch (start.kind) {
    case "live":
      return at(stream.tail);
    case "oldest":
      return at(oldest());
    case "last-messages":
      return at(Math.max(oldest(), stream.tail - start.count));
    case "last-duration":
      return at(reader.positionAtTime(stream, Math.max(notBefore, now - start.durationMs)));
    case "after": {
      const page = reader.page(path, { after: start.offset, notBefore, maxEntries: 1, maxBytes: 1 });
      const position = positionIn(chain, start.offset);
      if (page.kind === "gone" || position === undefined) throw gone(at(oldest()), at(stream.tail));
      return at(position);
    }
    default:
      return start satisfies never;
  }
}

/** The 410 of a reader that fell out of its window, with where it may begin again. */
export function replayWindowExceeded(
  reader: Reader,
  { path, now, replayWindowMs }: Omit<StartRequest, "start">,
): ChanctlError {
  const stream = reader.stream(path);
  if (stream === undefined) return gone(ORIGIN, ORIGIN);
  const chain = reader.chainOf(stream);
  const oldest = oldestPosition(reader, stream, now - replayWindowMs);
  return gone(offsetAt(chain, oldest), offsetAt(chain, stream.tail));
}

/** Where the oldest that may be read begins. What a fork inherits is kept for as long as the fork is. */
function oldestPosition(reader: Reader, stream: StreamInfo, notBefore: number): number {
  return stream.parent === null ? reader.positionAtTime(stream, notBefore) : 0;
}

function gone(oldest: Offset, newest: Offset): ChanctlError {
  return new ChanctlError(
    "replay_window_exceeded",
    "messages after this id were missed and can no longer be read",
    {
      fields: { oldest: encodeOffset(oldest), newest: encodeOffset(newest) },
    },
  );
}

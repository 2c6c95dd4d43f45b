import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { untilEnded } from "../until-ended.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags, StreamPlace } from "./place.ts";
import { createChunkOutput } from "./read/chunk-output.ts";
import type { StreamChunk } from "./read/chunk.ts";
import { eventChunks } from "./read/event-chunks.ts";
import { pollChunks } from "./read/poll-chunks.ts";
import { createRetry } from "./retry.ts";

export interface ReadFlags extends PlaceFlags {
  readonly offset: string;
  readonly live?: true;
  readonly sse?: true;
  readonly longPoll?: true;
  readonly json?: true;
}

/** How long a read that does not follow waits for a server that has gone away, in ms. */
const RETRY_FOR_MS = 30_000;

/**
 * Prints what a stream holds, and with `live` what is appended to it until it is closed.
 *
 * @throws {ChanctlError} `stream_unknown`, `offset_gone`, `usage`, `cannot_connect` and what else it is refused with.
 */
export function runStreamRead({ name, flags }: { name: string; flags: ReadFlags }, io: Io): Promise<void> {
  if (flags.sse && flags.longPoll)
    throw new ChanctlError("usage", "`--sse` and `--long-poll` exclude each other", {
      hint: "give one of them",
    });
  const isLive = flags.live === true || flags.sse === true || flags.longPoll === true;
  const { dim, yellow } = palette(io.errorColor);
  return untilEnded(io, async (signal) => {
    let isBroken = false;
    const onOutage = ({ message }: ChanctlError): void => {
      isBroken = true;
      io.stderr(yellow(`reconnecting: ${message}\n`));
    };
    const retry = createRetry({ retryForMs: isLive ? Infinity : RETRY_FOR_MS, onOutage, signal });
    const locate = (): Promise<StreamPlace> => locateStream(name, { flags, io, signal });
    const toOutput = createChunkOutput({ isJson: flags.json === true });
    for await (const chunk of readChunks({ flags, isLive, locate, retry, signal })) {
      if (isBroken) io.stderr(dim(`connected again\n`));
      isBroken = false;
      await io.output(toOutput(chunk));
      if (signal.aborted) return;
      if (chunk.isClosed && isLive) io.stderr(dim(`${name} is closed\n`));
    }
  });
}

interface ReadOptions {
  readonly flags: ReadFlags;
  readonly isLive: boolean;
  readonly locate: () => Promise<StreamPlace>;
  readonly retry: <T>(attempt: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

/** What is there comes in chunks, whatever follows it: only so is the stream's own media type known. */
async function* readChunks({ flags, isLive, ...context }: ReadOptions): AsyncGenerator<StreamChunk> {
  if (!flags.sse) {
    yield* pollChunks({ ...context, offset: flags.offset, isLive });
    return;
  }
  let last: StreamChunk | undefined;
  for await (const chunk of pollChunks({ ...context, offset: flags.offset, isLive: false })) {
    last = chunk;
    yield chunk;
  }
  if (last === undefined || last.isClosed) return;
  yield* eventChunks({ ...context, offset: last.nextOffset, contentType: last.contentType });
}

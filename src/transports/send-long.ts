import { once } from "node:events";
import { hasLeft, leavingOf, sendAnswer } from "./http.ts";
import type { HttpResponse } from "./http.ts";
import { toOutlet } from "./outlet.ts";

/** A body that may be long, and how it is counted. */
export interface LongBody {
  /** It may be shared with other responses, and is not changed. */
  readonly body: Buffer;
  /** Counts it as waiting to be sent until the result is disposed of. */
  readonly hold: (body: Buffer) => Disposable;
}

/** TLS makes bytes of its own of whatever is written: it gets no more at a time than this. */
const PIECE_BYTES = 64 * 1_024;
/** Below it Node never says `drain`, and the socket takes it at once. */
const SHORT_BYTES = 16 * 1_024;

/**
 * Sends a 200 with a body at the pace of the socket. Each response holds the same bytes as the others that send them,
 * and only a piece of its own.
 *
 * @returns once all of it has left, or the client has.
 */
export async function sendLong(response: HttpResponse, { body, hold }: LongBody): Promise<void> {
  if (body.length < SHORT_BYTES) return sendAnswer(response, { status: 200, body });
  if (response.headersSent || hasLeft(response)) return;
  const { signal } = leavingOf(response);
  response.setHeader("content-length", body.length);
  response.writeHead(200);
  const outlet = toOutlet(response);
  let written = 0;
  using _held = hold(body);
  while (written < body.length && !signal.aborted) {
    const piece = body.subarray(written, written + PIECE_BYTES);
    written += piece.length;
    outlet.write(piece);
    // It rejects only when the client has left.
    if (outlet.writableNeedDrain) await once(outlet, "drain", { signal }).catch(() => {});
  }
  response.end();
}

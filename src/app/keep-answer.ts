import type { Socket } from "node:net";
import { errorCodeOf } from "../shared/errors.ts";

/** What a write ends with when the peer has closed. */
const PEER_CLOSED = new Set(["EPIPE", "ECONNRESET"]);

/**
 * Lets a socket be read to its end when a write tells first that the peer has closed: what the peer said before is
 * still in the system's buffer, and Node would throw it away with the socket. Nothing more is written meanwhile.
 *
 * Not by a pause before each write, in which the peer would have to be read: it may close at any time.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.5
 */
export function keepAnswer(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const push = socket.push.bind(socket);
  let broken: Error | undefined;
  let isRead = false;
  // Never called, the callback keeps the stream at this write. The read side of a closed connection ends by itself.
  const unlessClosed = (done: WriteCallback) => (error?: Error | null) => {
    if (!isRead && PEER_CLOSED.has(errorCodeOf(error) ?? "")) broken = error ?? undefined;
    else done(error);
  };
  socket._write = (chunk, encoding, done) => write(chunk, encoding, unlessClosed(done));
  if (writev !== undefined) socket._writev = (chunks, done) => writev(chunks, unlessClosed(done));
  // The system tells of a reset once: having told the writer, it shows the reader a proper end. An answer that lasts
  // until its connection closes would then pass for a whole one (RFC 9112, section 8).
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    isRead ||= chunk === null;
    if (!isRead || broken === undefined) return push(chunk, encoding);
    socket.destroy(broken);
    return false;
  };
}

type WriteCallback = (error?: Error | null) => void;

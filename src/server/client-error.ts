import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { errorCodeOf } from "../shared/errors.ts";

/** How long a client may take to read why it is turned away. */
const READ_MS = 1_000;

/**
 * Answers what was no request over HTTP/1.1 (400, 408, 413, 431), and closes: for a server's `clientError`.
 *
 * Node destroys the socket right after its own answer. Where TLS runs over a socket that JavaScript has read from,
 * as `sniff` has, what was written is not sent at once, and the answer is lost with it.
 */
export function answerClientError(error: unknown, socket: Duplex): void {
  if (socket.writableEnded) return; // has its answer; the rest of what it sends is no request either
  const status = statusOf(errorCodeOf(error));
  if (status === undefined || !socket.writable || hasBegunAnswer(socket)) {
    socket.destroy();
    return;
  }
  const timer = setTimeout(() => socket.destroy(), READ_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}

/** `undefined` for what the socket met and the client did not send: a reset, a failed TLS handshake. */
function statusOf(code: string | undefined): string | undefined {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return "413 Content Too Large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "408 Request Timeout";
  return code?.startsWith("HPE_") ? "400 Bad Request" : undefined;
}

/**
 * Whether a response under way has said something: another would end up in the middle of it. Node tells it by
 * this field too, and by nothing public.
 *
 * @see https://github.com/nodejs/node/blob/v20.20.0/lib/_http_server.js (`socketOnError`)
 */
function hasBegunAnswer(socket: Duplex & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent ?? false;
}

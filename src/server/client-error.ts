import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ChanctlError, errorCodeOf } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";
import { endWithProblem } from "../transports/socket-answer.ts";

type HeadLimits = Pick<Limits, "maxHeaderBytes" | "handshakeTimeoutMs">;

export interface ClientErrorOptions {
  readonly limits: HeadLimits;
  /** Hears of what is answered with an error. */
  readonly onRefused: (error: ChanctlError, address: string) => void;
}

/**
 * Answers what was no request over HTTP/1.1 (400, 408, 413, 431), and closes: for a server's `clientError`.
 *
 * Node destroys the socket right after its own answer. Where TLS runs over a socket that JavaScript has read from,
 * as `sniff` has, what was written is not sent at once, and the answer is lost with it.
 */
export function answerClientError(
  thrown: unknown,
  socket: Duplex & { readonly remoteAddress?: string },
  { limits, onRefused }: ClientErrorOptions,
): void {
  if (socket.writableEnded) return; // has its answer; the rest of what it sends is no request either
  const error = toClientError(thrown, limits);
  if (error === undefined || !socket.writable || hasBegunAnswer(socket)) {
    socket.destroy();
    return;
  }
  onRefused(error, socket.remoteAddress ?? "");
  endWithProblem(socket, error);
}

/**
 * `undefined` for what the socket met and the client did not send: a reset, a failed TLS handshake, its end within a
 * request that was called off (RFC 9112, section 8).
 */
function toClientError(
  thrown: unknown,
  { maxHeaderBytes, handshakeTimeoutMs }: HeadLimits,
): ChanctlError | undefined {
  const code = errorCodeOf(thrown);
  if (code === "HPE_INVALID_EOF_STATE") return undefined;
  if (code === "HPE_HEADER_OVERFLOW") {
    const message = `the request's head is larger than ${maxHeaderBytes} bytes (\`limits.maxHeaderBytes\`)`;
    return new ChanctlError("head_too_big", message, { limit: "maxHeaderBytes" });
  }
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") {
    return new ChanctlError("too_big", "the extensions of the body's chunks are too big");
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const message = `the request's head took longer than ${handshakeTimeoutMs} ms (\`limits.handshakeTimeoutMs\`)`;
    return new ChanctlError("request_timeout", message, { limit: "handshakeTimeoutMs" });
  }
  return code?.startsWith("HPE_") ? new ChanctlError("malformed", "this is no HTTP request") : undefined;
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

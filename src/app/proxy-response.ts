import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { constants, Http2ServerResponse } from "node:http2";
import { hostOf, toClientHeaders } from "./proxy-headers.ts";

/** A response as both of Node's servers give it. */
export type ProxyResponse = ServerResponse | Http2ServerResponse;

/** Whether nobody is there any more to answer. */
export function hasLeft(response: ProxyResponse): boolean {
  return response instanceof Http2ServerResponse ? response.stream.destroyed : response.destroyed;
}

/**
 * Ends an answer that the app did not finish, so that the client cannot take it for a whole one: HTTP/2 by a
 * reset that is an error, HTTP/1.1 by a connection closed within the body.
 */
export function breakOff(response: ProxyResponse): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** The head of an answer of the app's. */
export interface AnswerHead {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly headers: IncomingHttpHeaders;
  /** Whether some of the body, or its end, will leave in the same turn and take the head along. */
  readonly hasMore: () => boolean;
}

/** Sends the head of the app's answer. @throws {Error} Node's own, for one that it does not write. */
export function sendHead(response: ProxyResponse, { statusCode, headers, ...head }: AnswerHead): void {
  const fields = toClientHeaders(headers, hostOf(response.req));
  if (response instanceof Http2ServerResponse) {
    response.writeHead(statusCode, fields);
    return;
  }
  response.writeHead(statusCode, head.statusMessage, fields);
  // Not at once: mostly the body is in the same read from the app, and then both leave in one write. Not with the
  // body either: an event stream may say nothing for long.
  process.nextTick(flushHead, response, head.hasMore);
}

function flushHead(response: ServerResponse, hasMore: () => boolean): void {
  if (!hasMore() && !response.destroyed) response.flushHeaders();
}

/** Passes the app's early hints on; other informational answers are about its own connection. */
export function sendEarlyHints(
  response: ProxyResponse,
  { statusCode, link }: { readonly statusCode: number; readonly link: string | string[] | undefined },
): void {
  if (statusCode !== 103 || link === undefined) return;
  try {
    response.writeEarlyHints({ link });
  } catch {
    // Node is strict about links, and a hint is not worth a failed request
  }
}

/** Sends what the app said after the body. */
export function sendTrailers(response: ProxyResponse, trailers: IncomingHttpHeaders): void {
  if (Object.keys(trailers).length > 0) response.addTrailers(toClientHeaders(trailers));
}

import type { ServerResponse } from "node:http";
import { constants, Http2ServerResponse } from "node:http2";

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

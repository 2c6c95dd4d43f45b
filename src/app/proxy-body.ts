import { Readable } from "node:stream";
import { Http2ServerRequest } from "node:http2";
import type { ProxyRequest } from "./proxy-headers.ts";

/** Whether a body follows the request's head. */
export function hasBody(request: ProxyRequest): boolean {
  if (request instanceof Http2ServerRequest) return !request.stream.endAfterHeaders;
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}

/**
 * The request's body as a stream of its own, read at the pace of its reader.
 *
 * undici destroys a body that the app did not want to the end, and destroying the request itself would cut
 * the client off before it has the answer. So only this stream dies, and the rest of the body is thrown away.
 * A body that nobody began to read is left untouched, for another attempt.
 */
export function readBody(request: ProxyRequest): Readable {
  let hasBegun = false;
  const body = new Readable({
    read() {
      if (hasBegun) request.resume();
      else begin();
    },
    destroy(error, callback) {
      if (hasBegun) request.off("data", push).resume();
      callback(error);
    },
  });
  body.on("error", () => {}); // whoever reads it hears of it too
  function push(chunk: Buffer): void {
    if (!body.push(chunk)) request.pause();
  }
  function begin(): void {
    hasBegun = true;
    request.on("data", push);
    request.once("end", () => body.push(null));
    request.once("error", (error) => body.destroy(error));
    request.once("close", () => {
      if (!request.readableEnded) body.destroy(new Error("the client went away"));
    });
  }
  return body;
}

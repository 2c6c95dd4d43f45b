import { Http2ServerRequest } from "node:http2";
import type { ProxyRequest } from "./proxy-headers.ts";

/** Whether a body follows the request's head. */
export function hasBody(request: ProxyRequest): boolean {
  if (request instanceof Http2ServerRequest) return !request.stream.endAfterHeaders;
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}

import type { Writable } from "node:stream";
import type { HttpResponse } from "./http.ts";

/** What a response's bytes are written to: HTTP/2 counts what is unsent on the stream, HTTP/1.1 on the response. */
export function toOutlet(response: HttpResponse): Writable {
  return "stream" in response ? response.stream : response;
}

import type { HttpRequest, HttpResponse } from "../transports/http.ts";

/**
 * Tells a client that waits to be asked for the body (`Expect: 100-continue`) to send it, once somebody reads: who is
 * answered without, by the broker or by the app, need not send it at all. Node by itself asks at once.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
 */
export function continueWhenRead(request: HttpRequest, response: HttpResponse): void {
  const read = request._read.bind(request);
  request._read = (size) => {
    request._read = read;
    // After the answer, Node reads too, to throw the body away.
    if (!response.headersSent) response.writeContinue();
    read(size);
  };
}

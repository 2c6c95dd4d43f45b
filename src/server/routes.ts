import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ChanctlError } from "../shared/errors.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";

/** What is behind a port. */
export interface Routes {
  request(request: HttpRequest, response: HttpResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Serves what comes over plain HTTP to a TLS port; returns whether it did, else it is redirected. */
  plainRequest?(request: HttpRequest, response: HttpResponse): boolean;
  /** Hears of what was answered with an error before it was a request. */
  refused(error: ChanctlError, address: string): void;
}

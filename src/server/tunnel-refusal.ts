import { Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { ChanctlError } from "../shared/errors.ts";
import { sendProblem } from "../transports/http.ts";
import type { HttpRequest } from "../transports/http.ts";
import { endWithProblem } from "../transports/socket-answer.ts";

/** A CONNECT: this is no proxy for other hosts, and without an answer the client would wait for one. */
export function refuseTunnel(_request: HttpRequest, outlet: Duplex | Http2ServerResponse): void {
  const error = new ChanctlError("method_not_allowed", "the method CONNECT is not allowed here");
  if (!(outlet instanceof Http2ServerResponse)) return endWithProblem(outlet, error, { allow: "" });
  outlet.setHeader("allow", "");
  sendProblem(outlet, error);
}

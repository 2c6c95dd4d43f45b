import type { Limits } from "../shared/limits.ts";
import type { HttpRequest } from "./http.ts";
import { publishRate } from "./rate-limit.ts";
import type { RateLimit } from "./rate-limit.ts";

/** How fast each connection publishes by HTTP, for as long as it is open. */
export class PublishRates {
  readonly #rates = new WeakMap<object, RateLimit>();
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The rate of the connection that a request came on. */
  of(request: HttpRequest): RateLimit {
    const connection = connectionOf(request);
    const rate = this.#rates.get(connection) ?? publishRate(this.#limits);
    this.#rates.set(connection, rate);
    return rate;
  }
}

/** What the requests of one connection share; over HTTP/2 each has a socket object of its own. */
function connectionOf(request: HttpRequest): object {
  return "stream" in request ? (request.stream.session ?? request) : request.socket;
}

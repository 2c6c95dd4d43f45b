import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ChanctlError } from "../shared/errors.ts";
import { addressOf } from "./access.ts";
import { findChannel, parseChannelUrl } from "./channel-target.ts";
import type { ChannelUrl } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import { assertOriginAllowed, sendPreflight, setCorsHeaders } from "./cors.ts";
import { hasLeft, sendProblem, toChanctlError } from "./http.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { servePublish } from "./publish-route.ts";
import { serveSse } from "./sse-route.ts";
import { WebSocketRoute } from "./websocket-route.ts";

const METHODS: Readonly<Record<ChannelUrl["resource"], string>> = { channel: "GET", messages: "POST" };

/** Everything under `/channels/`. */
export class ChannelRoutes {
  readonly #context: TransportContext;
  readonly #webSockets: WebSocketRoute;

  constructor(context: TransportContext) {
    this.#context = context;
    this.#webSockets = new WebSocketRoute(context);
  }

  /** Serves a request if it is the broker's. Returns whether it was. */
  request(request: HttpRequest, response: HttpResponse): boolean {
    const url = parseChannelUrl(request.url ?? "");
    if (url === undefined) return false;
    void this.#serve(request, response, url);
    return true;
  }

  /** Serves an upgrade if it is the broker's. Returns whether it was. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = parseChannelUrl(request.url ?? "");
    if (url === undefined) return false;
    this.#webSockets.upgrade({ request, socket, head, url });
    return true;
  }

  async #serve(request: HttpRequest, response: HttpResponse, url: ChannelUrl): Promise<void> {
    const { registry, allowedOrigins, logger, refusals } = this.#context;
    const address = addressOf(request); // a request whose body is too big knows it no more
    try {
      setCorsHeaders(request, response, allowedOrigins);
      const method = METHODS[url.resource];
      if (request.method === "OPTIONS") {
        const headerName = registry.get(url.name)?.definition.auth?.headerName;
        return sendPreflight(response, { methods: method, headerName });
      }
      findChannel(registry, url.name);
      response.setHeader("allow", method);
      assertMethod(request.method, [method]);
      response.removeHeader("allow");
      assertOriginAllowed(request, this.#context);
      const call = { request, response, url };
      if (url.resource === "messages") {
        await servePublish(this.#context, { ...call, rate: this.#context.publishRates.of(request) });
      } else await serveSse(this.#context, call);
    } catch (thrown) {
      const error = toChanctlError(thrown, logger);
      const transport = url.resource === "messages" ? "http" : "sse";
      const isThere = !hasLeft(response); // else nobody was refused
      if (isThere) refusals.note({ error, channel: url.name, address, transport });
      sendProblem(response, error);
    }
  }
}

/** @throws {ChanctlError} `method_not_allowed`. */
function assertMethod(method: string | undefined, allowed: readonly string[]): void {
  if (method !== undefined && allowed.includes(method)) return;
  throw new ChanctlError("method_not_allowed", `the method must be ${allowed.join(" or ")}, got ${method}`);
}

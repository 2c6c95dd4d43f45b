import { parseReadQuery } from "../../protocol/durable-streams/read-query.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { TransportContext } from "../context.ts";
import { hasLeft, sendAnswer, sendProblem, toChanctlError } from "../http.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { isControlPath, serveControl } from "./control-routes.ts";
import { serveLongPoll } from "./long-poll-route.ts";
import type { DurableStreamsOptions } from "./options.ts";
import { serveRead } from "./read-route.ts";
import { serveStreamEvents } from "./sse-stream-route.ts";
import type { StreamCall } from "./stream-call.ts";
import { setSecurityHeaders } from "./stream-headers.ts";
import { resolveStream } from "./stream-target.ts";
import { serveAppend, serveCreate, serveDelete, serveHead } from "./write-routes.ts";

/** Everything under the mount of Durable Streams. */
export class StreamRoutes {
  readonly #context: TransportContext;
  readonly #options: DurableStreamsOptions;

  constructor(context: TransportContext, options: DurableStreamsOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Serves a request if it is for a stream. Returns whether it was. */
  request(request: HttpRequest, response: HttpResponse): boolean {
    const [path = "", search = ""] = splitOnce(request.url ?? "");
    const prefix = `${this.#options.path}/`;
    if (!path.startsWith(prefix)) return false;
    void this.#serve(request, response, {
      path: path.slice(prefix.length),
      query: new URLSearchParams(search),
    });
    return true;
  }

  async #serve(
    request: HttpRequest,
    response: HttpResponse,
    { path, query }: { path: string; query: URLSearchParams },
  ): Promise<void> {
    try {
      setSecurityHeaders(response);
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-expose-headers", "*");
      if (request.method === "OPTIONS") {
        const headers = {
          "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
          "access-control-allow-headers": "if-none-match, content-type",
        };
        return sendAnswer(response, { status: 204, headers });
      }
      if (isControlPath(path)) {
        const [context, options] = [this.#context, this.#options];
        return await serveControl({ context, options, request, response }, path);
      }
      const target = resolveStream(this.#context.registry, path);
      await dispatch({
        context: this.#context,
        options: this.#options,
        request,
        response,
        query,
        target,
        subject: undefined,
        isPublic: true,
        replayWindowMs: () => Number.POSITIVE_INFINITY,
        expiresAt: undefined,
      });
    } catch (thrown) {
      sendProblem(response, toChanctlError(thrown, this.#context.logger));
    }
  }
}

async function dispatch(call: StreamCall): Promise<void> {
  switch (call.request.method) {
    case "GET":
      return read(call);
    case "HEAD":
      return serveHead(call);
    case "PUT":
      return serveCreate(call);
    case "POST":
      return serveAppend(call);
    case "DELETE":
      return serveDelete(call);
    default:
      throw new ChanctlError("method_not_allowed", `a stream has no method ${call.request.method}`);
  }
}

async function read(call: StreamCall): Promise<void> {
  const query = parseReadQuery(call.query);
  if (query.live === "sse") return serveStreamEvents(call, query);
  if (query.live === undefined) return serveRead(call, query);
  const left = new AbortController();
  call.response.once("close", () => left.abort());
  if (!hasLeft(call.response)) await serveLongPoll(call, query, left.signal);
}

function splitOnce(url: string): [string, string?] {
  const index = url.indexOf("?");
  return index === -1 ? [url] : [url.slice(0, index), url.slice(index + 1)];
}

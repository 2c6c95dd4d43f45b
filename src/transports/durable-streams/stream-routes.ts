import { parseReadQuery } from "../../protocol/durable-streams/read-query.ts";
import type { StreamOperation } from "../../protocol/app-call.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { addressOf } from "../access.ts";
import type { TransportContext } from "../context.ts";
import { assertOriginAllowed } from "../cors.ts";
import { untilFirstInLine } from "../first-in-line.ts";
import { hasLeft, headerOf, leavingOf, sendProblem, toChanctlError } from "../http.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { assertClientsMayPublish } from "../publish.ts";
import { admit } from "./admit.ts";
import { serveConfirm, servePublish } from "./channel-write-routes.ts";
import { isControlPath, serveControl } from "./control-routes.ts";
import { serveLongPoll } from "./long-poll-route.ts";
import { isOpenTo } from "./options.ts";
import type { DurableStreamsOptions } from "./options.ts";
import { serveRead } from "./read-route.ts";
import { serveStreamEvents } from "./sse-stream-route.ts";
import type { StreamCall } from "./stream-call.ts";
import { sendStreamPreflight, setStreamCors } from "./stream-cors.ts";
import { setChallenge, setSecurityHeaders } from "./stream-headers.ts";
import { resolveStream } from "./stream-target.ts";
import type { StreamTarget } from "./stream-target.ts";
import { serveAppend, serveCreate, serveDelete, serveHead } from "./write-routes.ts";

interface StreamUrl {
  /** Below the mount, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What a stream can be asked; a channel's is not made and not ended by its clients. */
const METHODS = { raw: "GET, HEAD, PUT, POST, DELETE", channel: "GET, HEAD, PUT, POST" } as const;

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
    const url = this.#parse(request);
    if (url === undefined) return false;
    void this.#serve(request, response, url);
    return true;
  }

  /** Whether a request is for what is under the mount. */
  owns(request: HttpRequest): boolean {
    return this.#parse(request) !== undefined;
  }

  #parse({ url = "" }: HttpRequest): StreamUrl | undefined {
    const [path, search = ""] = splitOnce(url);
    const prefix = `${this.#options.path}/`;
    if (!path.startsWith(prefix)) return undefined;
    return { path: path.slice(prefix.length), query: new URLSearchParams(search) };
  }

  async #serve(request: HttpRequest, response: HttpResponse, url: StreamUrl): Promise<void> {
    const { registry, allowedOrigins, logger, tokens } = this.#context;
    const address = addressOf(request); // a request whose body is too big knows it no more
    try {
      const isControl = isControlPath(url.path);
      const isPreflight = request.method === "OPTIONS";
      const asked = isPreflight ? headerOf(request, "access-control-request-method") : request.method;
      const isOpen = isControl
        ? this.#options.publicWrites
        : isOpenTo(this.#options, operationOf(asked, request));
      setSecurityHeaders(response, { isOpen });
      const mustIdentify = tokens.verifiesJwts && !this.#options.skipsAuthentication;
      setStreamCors(
        { request, response },
        { isOpen, mustIdentify, allowedOrigins, tokenHeader: this.#tokenHeader },
      );
      if (isPreflight) return this.#answerPreflight(response, url);
      if (isControl) {
        const [context, options, { query }] = [this.#context, this.#options, url];
        return await serveControl({ context, options, request, response, query }, url.path);
      }
      const target = resolveStream(registry, url.path);
      assertMethod({ request, response }, target);
      if (!isOpen) assertOriginAllowed(request, this.#context);
      if (target.channel !== undefined && request.method === "POST")
        assertClientsMayPublish(this.#context, target.channel);
      const operation = operationOf(request.method, request);
      // Before anybody is asked: what its caller may do can be over when its turn comes (CWE-367).
      if (request.method === "GET" && !(await untilFirstInLine(request, response))) return;
      const { signal } = leavingOf(response);
      const call = await admit({
        context: this.#context,
        options: this.#options,
        request,
        response,
        query: url.query,
        target,
        operation,
        signal,
      });
      if (call !== undefined) await dispatch(call);
    } catch (thrown) {
      const error = toChanctlError(thrown, logger);
      if (!hasLeft(response)) this.#note(error, { address, path: url.path });
      if (error.status === 401) setChallenge(response, error);
      sendProblem(response, error);
    }
  }

  /** That a stream is not there, or further than a writer thinks, is the protocol's daily bread and no refusal. */
  #note(error: ChanctlError, { address, path }: { address: string; path: string }): void {
    if ([404, 409, 410].includes(error.status)) return;
    this.#context.refusals.note({ error, channel: path, address, transport: "ds" });
  }

  get #tokenHeader(): string {
    return `x-${this.#context.tokens.param.toLowerCase()}`;
  }

  #answerPreflight(response: HttpResponse, { path }: StreamUrl): void {
    const target = this.#tryResolve(path);
    const headerName = target?.channel?.channel.definition.auth?.headerName;
    sendStreamPreflight(response, {
      methods: methodsOf(target),
      tokenHeaders: [this.#tokenHeader, ...(headerName === undefined ? [] : [headerName])],
    });
  }

  /** A preflight is answered for what is no stream, too: the page is then told so by the request itself. */
  #tryResolve(path: string): StreamTarget | undefined {
    try {
      return resolveStream(this.#context.registry, path);
    } catch (error) {
      if (error instanceof ChanctlError) return undefined;
      throw error;
    }
  }
}

/** What a request needs to be allowed, as far as it is known before its body. */
function operationOf(method = "", request: HttpRequest): StreamOperation {
  switch (method) {
    case "PUT":
      return "create";
    case "POST":
      return headerOf(request, "stream-closed")?.toLowerCase() === "true" ? "close" : "append";
    case "DELETE":
      return "delete";
    default:
      return "read";
  }
}

function methodsOf(target: StreamTarget | undefined): string {
  return target?.channel === undefined ? METHODS.raw : METHODS.channel;
}

/** @throws {ChanctlError} `method_not_allowed`; `Allow` then names those that are (RFC 9110, section 15.5.6). */
function assertMethod(
  { request, response }: { request: HttpRequest; response: HttpResponse },
  target: StreamTarget,
): void {
  const allowed = methodsOf(target);
  if (allowed.split(", ").includes(request.method ?? "")) return;
  response.setHeader("allow", allowed);
  const whose = target.channel === undefined ? "a stream" : "a channel's stream";
  throw new ChanctlError(
    "method_not_allowed",
    `the method for ${whose} must be one of ${allowed}, got ${request.method}`,
  );
}

async function dispatch(call: StreamCall): Promise<void> {
  const isChannel = call.target.channel !== undefined;
  switch (call.request.method ?? "") {
    case "GET":
      return read(call);
    case "HEAD":
      return serveHead(call);
    case "PUT":
      return isChannel ? serveConfirm(call) : serveCreate(call);
    case "POST":
      return isChannel ? servePublish(call) : serveAppend(call);
    default:
      return serveDelete(call);
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

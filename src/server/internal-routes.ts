import { ChanctlError } from "../shared/errors.ts";
import type { App } from "../app/app.ts";
import { createTokenCheck } from "../auth/internal-token.ts";
import { ChannelRoutes } from "../transports/channel-routes.ts";
import { findChannel, resolveTarget } from "../transports/channel-target.ts";
import type { TransportContext } from "../transports/context.ts";
import type { DurableStreamsOptions } from "../transports/durable-streams/options.ts";
import { StreamRoutes } from "../transports/durable-streams/stream-routes.ts";
import { headerOf, readBody, sendJson, sendProblem, toChanctlError } from "../transports/http.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { endWithProblem } from "../transports/socket-answer.ts";
import { listStreams } from "./stream-listing.ts";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const MAX_BODY_BYTES = 64 * 1_024;
const TAIL_PREFIX = "/_chanctl/tail/";
const CHALLENGE = "Bearer";

interface InternalRoutesOptions {
  readonly token: string;
  /** `undefined`: Durable Streams are not served. */
  readonly durableStreams: DurableStreamsOptions | undefined;
  /** `undefined` where the broker runs alone. */
  readonly app: Pick<App, "origin" | "address" | "state" | "portTaker"> | undefined;
}

/** What the app and the operator may ask, on a port of its own and with the internal token only. */
export class InternalRoutes {
  readonly #context: TransportContext;
  readonly #channels: ChannelRoutes;
  readonly #streams: StreamRoutes | undefined;
  readonly #durableStreams: DurableStreamsOptions | undefined;
  readonly #app: InternalRoutesOptions["app"];
  readonly #hasToken: (authorization: string | undefined) => boolean;

  constructor(context: TransportContext, { token, durableStreams, app }: InternalRoutesOptions) {
    this.#context = context;
    this.#streams = durableStreams && new StreamRoutes(context, durableStreams);
    this.#channels = new ChannelRoutes(context);
    this.#durableStreams = durableStreams;
    this.#app = app;
    this.#hasToken = createTokenCheck(token);
  }

  request(request: HttpRequest, response: HttpResponse): void {
    if (!this.#isAllowed(request)) {
      response.setHeader("www-authenticate", CHALLENGE);
      sendProblem(response, tokenError());
      return;
    }
    if (this.#channels.request(request, response)) return;
    if (this.#streams?.request(request, response) !== true) void this.#serve(request, response);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!this.#isAllowed(request)) endWithProblem(socket, tokenError(), { "www-authenticate": CHALLENGE });
    else if (!this.#channels.upgrade(request, socket, head)) {
      endWithProblem(socket, new ChanctlError("not_found", "the internal listener upgrades channels only"));
    }
  }

  refused(error: ChanctlError, address: string): void {
    this.#context.refusals.note({ error, address, transport: "http" });
  }

  #isAllowed(request: HttpRequest): boolean {
    return this.#hasToken(headerOf(request, "authorization"));
  }

  async #serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    try {
      const url = new URL(`http://internal${request.url ?? "/"}`);
      const route = `${request.method} ${url.pathname}`;
      if (route === "GET /_chanctl/channels") sendJson(response, 200, { channels: this.#listChannels() });
      else if (route === "GET /_chanctl/app") sendJson(response, 200, { app: this.#showApp() });
      else if (route === "GET /_chanctl/streams") {
        const { streams } = this.#context.broker;
        const listing = listStreams(url.searchParams, { streams, durableStreams: this.#durableStreams });
        sendJson(response, 200, listing);
      } else if (route === "POST /_chanctl/disconnect") {
        sendJson(response, 200, {
          closed: this.#disconnect(await readBody(request, { maxBytes: MAX_BODY_BYTES })),
        });
      } else if (request.method === "GET" && url.pathname.startsWith(TAIL_PREFIX)) {
        sendJson(response, 200, {
          id: this.#tail(url.pathname.slice(TAIL_PREFIX.length), url.search.slice(1)),
        });
      } else throw new ChanctlError("not_found", `the internal listener has no ${route}`);
    } catch (thrown) {
      sendProblem(response, toChanctlError(thrown, this.#context.logger));
    }
  }

  #listChannels(): unknown[] {
    return this.#context.registry.entries().map(({ name, file, definition, error }) => ({
      name,
      file,
      ...(definition === undefined
        ? {}
        : {
            transport: definition.transport,
            paramsSchema: definition.paramsSchema,
            types: definition.messages && Object.keys(definition.messages),
            public: definition.public,
            lifecycle: definition.lifecycle,
          }),
      ...(error === undefined ? {} : { error: error.message }),
    }));
  }

  /** Where the broker asks, and how it is: `chanctl doctor` asks there too. */
  #showApp(): object | null {
    if (this.#app === undefined) return null;
    const { origin, address, state, portTaker } = this.#app;
    return { origin: origin.origin, state, address, portTaker };
  }

  #tail(name: string, search: string): string {
    return this.#context.broker.tail(resolveTarget(findChannel(this.#context.registry, name), search).path);
  }

  #disconnect(body: Buffer): number {
    const subject = parseSubject(body);
    const reason = new ChanctlError("disconnected", "the app has disconnected you");
    return this.#context.connections.endWhere((connection) => connection.subject === subject, reason);
  }
}

function tokenError(): ChanctlError {
  const hint = "send `Authorization: Bearer <CHANCTL_TOKEN>`";
  return new ChanctlError("unauthenticated", "the internal token is missing or wrong", { hint });
}

function parseSubject(body: Buffer): string {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new ChanctlError("malformed", "the body is not JSON", { cause, hint: 'send {"subject": "u1"}' });
  }
  const subject =
    typeof value === "object" && value !== null && "subject" in value ? value.subject : undefined;
  if (typeof subject === "string" && subject !== "") return subject;
  throw new ChanctlError("malformed", "`subject` must be a text", { hint: 'send {"subject": "u1"}' });
}

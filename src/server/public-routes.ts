import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AppProxy } from "../app/proxy.ts";
import { ChanctlError } from "../shared/errors.ts";
import { ChannelRoutes } from "../transports/channel-routes.ts";
import type { TransportContext } from "../transports/context.ts";
import type { DurableStreamsOptions } from "../transports/durable-streams/options.ts";
import { StreamRoutes } from "../transports/durable-streams/stream-routes.ts";
import { sendProblem } from "../transports/http.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { LocalRoutes } from "./local-routes.ts";
import type { PhoneOptions } from "./phone-routes.ts";
import type { RefusalLog } from "../transports/refusal-log.ts";
import { endWithProblem } from "../transports/socket-answer.ts";

interface PublicRoutesOptions {
  readonly proxy: AppProxy | undefined;
  /** `undefined`: Durable Streams are not served. */
  readonly durableStreams: DurableStreamsOptions | undefined;
  /** `undefined`: no phones are expected. */
  readonly phone: PhoneOptions | undefined;
}

/** What strangers may ask: channels of the broker, what is chanctl's own, everything else of the app. */
export class PublicRoutes {
  readonly #channels: ChannelRoutes;
  readonly #streams: StreamRoutes | undefined;
  readonly #proxy: AppProxy | undefined;
  readonly #local: LocalRoutes;
  readonly #refusals: RefusalLog;

  constructor(context: TransportContext, { proxy, durableStreams, phone }: PublicRoutesOptions) {
    this.#streams = durableStreams && new StreamRoutes(context, durableStreams);
    this.#channels = new ChannelRoutes(context);
    this.#local = new LocalRoutes({ phone });
    this.#proxy = proxy;
    this.#refusals = context.refusals;
  }

  request(request: HttpRequest, response: HttpResponse): void {
    if (this.#channels.request(request, response)) return;
    if (this.#local.request(request, response)) return;
    if (this.#streams?.request(request, response) === true) return;
    if (this.#proxy !== undefined) {
      this.#proxy.request(request, response);
      return;
    }
    sendProblem(response, noAppError());
  }

  plainRequest(request: HttpRequest, response: HttpResponse): boolean {
    return this.#local.plainRequest(request, response);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#channels.upgrade(request, socket, head)) return;
    if (this.#local.upgrade(request, socket)) return;
    if (this.#streams?.owns(request) === true) endWithProblem(socket, notUpgraded());
    else if (this.#proxy !== undefined) this.#proxy.upgrade(request, socket, head);
    else endWithProblem(socket, noAppError());
  }

  refused(error: ChanctlError, address: string): void {
    this.#refusals.note({ error, address, transport: "http" });
  }
}

/** Streams are read over plain HTTP; the app is not to see who asks for one otherwise. */
function notUpgraded(): ChanctlError {
  return new ChanctlError("malformed", "a stream is not upgraded; send the request without `Upgrade`");
}

function noAppError(): ChanctlError {
  const hint = 'set `app: { command: "npm run start" }` in chanctl.config.ts, or pass --app';
  return new ChanctlError("not_found", "there is no app behind this server, only channels", { hint });
}

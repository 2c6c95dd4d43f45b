import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { AppConnection } from "./app-connection.ts";
import type { AppConnections } from "./app-connections.ts";
import { breakOff, sendEarlyHints, sendHead, sendTrailers } from "./proxy-response.ts";
import type { ProxyResponse } from "./proxy-response.ts";

/** What the app switched to another protocol with. */
export interface Upgraded {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Duplex;
}

interface ExchangeOptions {
  readonly connections: AppConnections;
  /** An app that closed one idle connection may be about to close them all: another attempt gets a fresh one. */
  readonly isRepeated: boolean;
  /** The app was asked and nothing has been answered to the client: it may be asked again. */
  readonly onUnanswered: (error: Error, connection: { readonly wasUsed: boolean }) => void;
  readonly onUpgrade?: (upgraded: Upgraded) => void;
}

/**
 * One request to the app and its answer, streamed to the client at the client's pace.
 *
 * ```
 *  waiting ── head of the answer ──► answering ── its end ──► over
 *     └── error: `onUnanswered` ──────────┴── error, or the client left ──► over
 * ```
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ProxyResponse;
  readonly #options: ExchangeOptions;
  readonly #connection: AppConnection;
  #stage: "waiting" | "answering" | "over" = "waiting";
  #hasBody = false;

  constructor(response: ProxyResponse, options: ExchangeOptions) {
    this.#response = response;
    this.#options = options;
    this.#connection = options.connections.take({ isFresh: options.isRepeated });
    response.on("drain", this.#resume);
    response.on("close", this.#abandon);
  }

  /** Asks the app. */
  start(request: Dispatcher.DispatchOptions): void {
    this.#connection.dispatch(request, this);
  }

  /** By this method undici knows which set of methods we have. */
  onRequestStart(): void {}

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#finish();
    this.#options.connections.giveBack(this.#connection);
    this.#options.onUpgrade?.({ statusCode, headers, socket });
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage = "",
  ): void {
    if (statusCode < 200) {
      sendEarlyHints(this.#response, { statusCode, link: headers.link });
      return;
    }
    const hasMore = (): boolean => this.#hasBody || this.#stage !== "answering";
    sendHead(this.#response, { statusCode, statusMessage, headers, hasMore });
    this.#stage = "answering";
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasBody = true;
    const { write }: { write: (chunk: Buffer) => boolean } = this.#response;
    if (!write.call(this.#response, chunk)) this.#connection.hold();
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#finish();
    this.#options.connections.giveBack(this.#connection);
    sendTrailers(this.#response, trailers);
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const stage = this.#stage;
    if (stage === "over") return;
    this.#abandon();
    if (stage === "waiting") this.#options.onUnanswered(error, this.#connection);
    else breakOff(this.#response);
  }

  readonly #resume = (): void => this.#connection.resume();

  readonly #abandon = (): void => {
    this.#finish();
    this.#options.connections.discard(this.#connection);
  };

  #finish(): void {
    this.#stage = "over";
    this.#response.off("drain", this.#resume);
    this.#response.off("close", this.#abandon);
  }
}

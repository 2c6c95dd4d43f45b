import { request as httpRequest } from "node:http";
import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { MAX_ANSWER_HEADER_BYTES } from "./app-connection.ts";
import type { ProxyRequest } from "./proxy-headers.ts";
import { breakOff, sendEarlyHints, sendHead, sendTrailers } from "./proxy-response.ts";
import type { ProxyResponse } from "./proxy-response.ts";

/** An app that ignores `Expect` says nothing: then the body goes without its word, as curl would send it. */
const CONTINUE_WAIT_MS = 1_000;

interface UploadOptions {
  readonly agent: Agent;
  readonly origin: URL;
  /** Names and values in turn, without those that frame the body. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** The app was asked and nothing has been answered to the client. */
  readonly onUnanswered: (error: Error) => void;
}

/**
 * A request that must not be sent twice, with its body, and the answer to it, both at the pace of their readers.
 *
 * By `node:http`: undici holds the head back until the first of the body comes, so that an app could neither speak
 * first nor refuse an upload by its head, and does not pass `Expect` on.
 */
export class Upload {
  readonly #request: ProxyRequest;
  readonly #response: ProxyResponse;
  readonly #onUnanswered: (error: Error) => void;
  readonly #hasBody: boolean;
  /** The client waits to be asked for the body. */
  readonly #expects: boolean;
  readonly #outgoing: ClientRequest;
  #stage: "waiting" | "answering" | "over" = "waiting";
  #answer: IncomingMessage | undefined;
  #hasBegun = false;
  #continueTimer: NodeJS.Timeout | undefined;

  /** @throws {TypeError} Node's own, if the request cannot be written. */
  constructor(request: ProxyRequest, response: ProxyResponse, options: UploadOptions) {
    this.#request = request;
    this.#response = response;
    const { agent, origin, headers, hasBody } = options;
    this.#onUnanswered = options.onUnanswered;
    this.#hasBody = hasBody;
    this.#expects = hasBody && /^100-continue$/i.test(request.headers.expect ?? "");
    this.#outgoing = httpRequest({
      agent,
      host: origin.hostname.replace(/^\[|\]$/g, ""),
      port: origin.port || (origin.protocol === "https:" ? 443 : 80),
      method: request.method,
      path: request.url,
      headers: [
        ...headers,
        ...framing(request, hasBody),
        ...(this.#expects ? ["expect", "100-continue"] : []),
      ],
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    });
  }

  /** Asks the app. */
  start(): void {
    const response = this.#response;
    this.#outgoing.on("information", ({ statusCode, headers }) => {
      if (this.#stage === "waiting") sendEarlyHints(response, { statusCode, link: headers.link });
    });
    this.#outgoing.once("response", (answer) => this.#passOn(answer));
    this.#outgoing.on("error", this.#fail);
    response.once("close", this.#abandon);
    // Before a stream of HTTP/2 that was reset without an error ends, as if its body were whole.
    this.#request.once("aborted", this.#abandon);
    if (!this.#hasBody) this.#outgoing.end();
    else if (this.#expects) {
      this.#outgoing.once("continue", this.#sendBody);
      this.#outgoing.once("socket", () => {
        this.#continueTimer = setTimeout(this.#sendBody, CONTINUE_WAIT_MS);
      });
    } else {
      this.#outgoing.flushHeaders();
      // Only now: what an app that refuses the connection was to get must be there for the next attempt.
      this.#outgoing.once("socket", this.#sendBody);
    }
  }

  /** The first read tells a client that waits for it to continue. */
  readonly #sendBody = (): void => {
    clearTimeout(this.#continueTimer);
    this.#outgoing.off("continue", this.#sendBody);
    if (this.#stage === "over") return;
    this.#hasBegun = true;
    this.#request.pipe(this.#outgoing);
  };

  #passOn(answer: IncomingMessage): void {
    clearTimeout(this.#continueTimer);
    const response = this.#response;
    this.#stage = "answering";
    answer.on("error", this.#fail);
    this.#answer = answer;
    try {
      sendHead(response, {
        statusCode: answer.statusCode ?? 502,
        statusMessage: answer.statusMessage ?? "",
        headers: answer.headers,
        hasMore: () => answer.readableLength > 0 || answer.complete,
      });
    } catch (error) {
      this.#stage = "waiting";
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    answer.pipe(response, { end: false });
    answer.once("end", () => {
      if (this.#stage === "over") return;
      this.#finish();
      sendTrailers(response, answer.trailers);
      response.end();
      if (!this.#outgoing.writableFinished) this.#leaveRest();
    });
  }

  /**
   * Throws away what the app did not want of the body: the client keeps its connection, and the app's would be out
   * of step. A body that nobody began to read is left untouched, for another attempt.
   */
  #leaveRest(): void {
    this.#request.unpipe(this.#outgoing);
    if (this.#hasBegun) this.#request.resume();
    this.#outgoing.destroy();
  }

  readonly #fail = (error: Error): void => {
    const stage = this.#stage;
    if (stage === "over") return;
    // An app that closes with the last byte, unread ones before it: what is here of the answer is all of it.
    if (stage === "answering" && this.#answer?.complete === true) return;
    this.#abandon();
    if (stage === "answering") breakOff(this.#response);
    else this.#onUnanswered(error);
  };

  readonly #abandon = (): void => {
    this.#finish();
    this.#leaveRest();
  };

  #finish(): void {
    this.#stage = "over";
    clearTimeout(this.#continueTimer);
    this.#response.off("close", this.#abandon);
    this.#request.off("aborted", this.#abandon);
  }
}

/** The headers that say how long the body is: a `Content-Length` is among the others already. */
function framing({ headers }: ProxyRequest, hasBody: boolean): readonly string[] {
  if (headers["content-length"] !== undefined) return [];
  return hasBody ? ["transfer-encoding", "chunked"] : ["content-length", "0"];
}

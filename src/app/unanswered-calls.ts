import { ChanctlError } from "../shared/errors.ts";
import type { ProxyResponse } from "./proxy-response.ts";

/** Far more than an app that answers has waiting, and far fewer than there are files to open. */
const MAX_UNANSWERED = 1_024;

/**
 * The requests that the app has and has not begun to answer.
 *
 * An app that fetches from chanctl what chanctl asks of it makes another request of each, until no process may open
 * a socket any more (CWE-674). Answers under way do not count: event streams live for hours.
 */
export class UnansweredCalls {
  readonly #responses = new Set<ProxyResponse>();

  /** Counts a request until its answer begins or its client leaves. @throws {ChanctlError} `app_unavailable`. */
  add(response: ProxyResponse): void {
    if (this.#responses.has(response)) return; // asked once more
    if (this.#responses.size >= MAX_UNANSWERED) this.#forgetAnswered();
    if (this.#responses.size >= MAX_UNANSWERED) {
      const message = `the app has ${MAX_UNANSWERED} requests already that it has not answered; it may be asking itself, through chanctl`;
      throw new ChanctlError("app_unavailable", message, { retryAfterSecs: 1 });
    }
    this.#responses.add(response);
    response.once("close", () => this.#responses.delete(response));
  }

  /** Only when the room is gone: it costs each request nothing. */
  #forgetAnswered(): void {
    for (const response of this.#responses) if (response.headersSent) this.#responses.delete(response);
  }
}

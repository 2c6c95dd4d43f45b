import { breakOff } from "./proxy-response.ts";
import type { ProxyResponse } from "./proxy-response.ts";

/** The requests whose clients wait for an answer, or for the rest of one. */
export class OpenAnswers {
  readonly #responses = new Set<ProxyResponse>();

  /** Counts a request as open until it is answered or its client leaves. */
  add(response: ProxyResponse): void {
    this.#responses.add(response);
    response.once("close", () => this.#responses.delete(response));
  }

  /** Ends all of them where they are. */
  breakOff(): void {
    for (const response of this.#responses) breakOff(response);
  }
}

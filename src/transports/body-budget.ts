import { ChanctlError } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";
import { hasLeft } from "./http.ts";
import type { BodyShare, HttpResponse } from "./http.ts";

/** When there may be room again: bodies come and go within seconds, or are cut off after 30 s. */
const RETRY_AFTER_SECS = 1;

/**
 * How many bytes of requests' bodies may be in memory at once, of all requests together. Each body has its own limit,
 * but whoever begins many and ends none would have them add up (CWE-770).
 */
export class BodyBudget {
  readonly #limits: Pick<Limits, "maxBodyBytesTotal">;
  #taken = 0;

  constructor(limits: Pick<Limits, "maxBodyBytesTotal">) {
    this.#limits = limits;
  }

  /** What one request takes of it; given back when its response has ended, or its client has left. */
  share(response: HttpResponse): BodyShare {
    let taken = 0;
    let isOver = hasLeft(response);
    response.once("close", () => {
      isOver = true;
      this.#taken -= taken;
      taken = 0;
    });
    return {
      take: (bytes) => {
        if (isOver) return;
        if (this.#taken + bytes > this.#limits.maxBodyBytesTotal) throw tooMany();
        this.#taken += bytes;
        taken += bytes;
      },
    };
  }
}

function tooMany(): ChanctlError {
  const limit = "maxBodyBytesTotal";
  const message = `too much is being sent to the server at once (\`limits.${limit}\`)`;
  return new ChanctlError("rate_limited", message, { limit, retryAfterSecs: RETRY_AFTER_SECS });
}

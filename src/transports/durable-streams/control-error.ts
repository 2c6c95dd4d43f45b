import type { SubscriptionRefused } from "../../broker/subscription-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { sendAnswer } from "../http.ts";
import type { HttpResponse } from "../http.ts";

/** Sends an error in the form that the protocol has under `__ds`: its own, and no problem body (PROTOCOL.md, section 7). */
export function sendControlError(response: HttpResponse, error: ChanctlError): void {
  const { status, code, message, fields, retryAfterSecs } = error;
  const name = code === "malformed" ? "INVALID_REQUEST" : code.toUpperCase();
  sendAnswer(response, {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(retryAfterSecs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSecs)) }),
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    body: JSON.stringify({ error: { code: name, message, ...fields } }),
  });
}

/** The error that a refusal is. */
export function toControlError(refused: SubscriptionRefused, id: string): ChanctlError {
  switch (refused.reason) {
    case "unknown":
      return unknownSubscription(id);
    case "exists":
      return new ChanctlError(
        "subscription_already_exists",
        `the subscription \`${id}\` is there with another configuration`,
      );
    case "too-many":
      return new ChanctlError("rate_limited", `there are ${refused.limit} subscriptions already`);
    case "too-many-streams":
      return invalid("streams", `a subscription names at most ${refused.limit} streams`);
    case "wake-stream":
      return invalid(
        "wake_stream",
        `\`wake_stream\` must be an application/json stream, it is ${refused.mediaType}`,
      );
    case "own-wake-stream":
      return invalid(
        "streams",
        "`streams` must not name the `wake_stream`: it would wake itself without end",
      );
    case "type":
      return invalid("type", `the subscription \`${id}\` is a ${refused.type} subscription`);
    case "claimed": {
      const fields = { current_holder: refused.holder, generation: refused.generation };
      return new ChanctlError("already_claimed", "another worker holds the lease", { fields });
    }
    case "no-pending-work":
      return new ChanctlError("no_pending_work", "nothing is pending");
    case "token":
      return new ChanctlError("token_invalid", "the token is of another subscription");
    case "fenced":
      return new ChanctlError("fenced", "the wake is over: its lease has ended, or another one has begun");
    case "offset":
      return new ChanctlError(
        "invalid_offset",
        `the offset for \`${refused.stream.slice(1)}\` cannot be acknowledged: ${refused.what}`,
      );
    default:
      return refused satisfies never;
  }
}

/** There is no such subscription. */
export function unknownSubscription(id: string): ChanctlError {
  return new ChanctlError("subscription_not_found", `there is no subscription \`${id}\``);
}

/** A field of a request that does not fit. */
export function invalid(field: string, message: string): ChanctlError {
  return new ChanctlError("malformed", message, { fields: { field } });
}

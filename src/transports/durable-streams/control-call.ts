import { isSubscribable } from "../../auth/stream-claims.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { TransportContext } from "../context.ts";
import { assertOriginAllowed } from "../cors.ts";
import { headerOf, readBody } from "../http.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { identifyClient, identifyIfShown } from "./client-identity.ts";
import type { DurableStreamsOptions } from "./options.ts";

/** One request under `__ds`. */
export interface ControlCall {
  readonly context: TransportContext;
  readonly options: DurableStreamsOptions;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly query: URLSearchParams;
}

/** A thousand acknowledgements of the longest paths are not more than this. */
const MAX_BODY_BYTES = 2 * 1_024 * 1_024;

/** @throws {ChanctlError} `too_big`, `malformed`, `rate_limited`. */
export function readControlBody({ context, request, response }: ControlCall): Promise<Buffer> {
  return readBody(request, { maxBytes: MAX_BODY_BYTES, share: context.bodies.share(response) });
}

/**
 * The token of a worker. Only from the header: what is in a URL is logged (PROTOCOL.md, section 12.9).
 *
 * @throws {ChanctlError} `token_missing`.
 */
export function bearerOf({ request }: ControlCall): string {
  const match = /^Bearer +(\S+) *$/i.exec(headerOf(request, "authorization") ?? "");
  if (match?.[1] !== undefined) return match[1];
  throw new ChanctlError("token_missing", "the token of the wake is missing");
}

/** Whoever asks for something of a subscription. */
export interface Controller {
  /**
   * Checks that the caller may make, see, change, claim or delete a subscription of these paths: those that it names,
   * the pattern, and the wake stream, all without a slash at the beginning. It does not wait: what was looked at is
   * still so when it is done, if nothing else waits (CWE-367).
   *
   * @throws {ChanctlError} `forbidden`.
   */
  assertMay(paths: readonly string[]): void;
}

/** The app and the operator, or `publicWrites`. */
const UNBOUND: Controller = { assertMay: () => {} };

/**
 * Finds out who asks. The app and the operator may do all, anyone where `publicWrites` says so, and whoever has a JWT
 * what concerns only streams that it allows to subscribe to.
 *
 * @throws {ChanctlError} `token_missing`, `token_invalid`, `token_expired`, `keys_unavailable`, `origin_forbidden`.
 */
export async function identifyController(call: ControlCall): Promise<Controller> {
  const { context, options, request } = call;
  const { tokens, audience } = context;
  if (audience === "internal") return UNBOUND;
  const mustIdentify = tokens.verifiesJwts && !options.skipsAuthentication;
  const identity = mustIdentify ? await identifyClient(tokens, call) : undefined;
  if (options.publicWrites) return UNBOUND;
  assertOriginAllowed(request, context);
  const { streams = [] } = identity ?? (await identifyIfShown(tokens, call)) ?? {};
  // Whether there is such a subscription is no business of those who may have none.
  const mayAny = streams.some(({ operations }) => operations.has("subscribe"));
  return {
    assertMay(paths) {
      if (mayAny && paths.every((path) => isSubscribable(streams, path))) return;
      throw new ChanctlError("forbidden", "this subscription is not for you");
    },
  };
}

/** @throws {ChanctlError} `method_not_allowed`. */
export function assertControlMethod({ request, response }: ControlCall, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? "")) return;
  response.setHeader("allow", allowed.join(", "));
  throw new ChanctlError("method_not_allowed", `the method must be ${allowed.join(" or ")}`);
}

import { ChanctlError } from "../../shared/errors.ts";
import type { TransportContext } from "../context.ts";
import { headerOf, readBody } from "../http.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import type { DurableStreamsOptions } from "./options.ts";

/** One request under `__ds`. */
export interface ControlCall {
  readonly context: TransportContext;
  readonly options: DurableStreamsOptions;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

/** A thousand acknowledgements of the longest paths are not more than this. */
const MAX_BODY_BYTES = 2 * 1_024 * 1_024;

/** @throws {ChanctlError} `too_big`, `malformed`. */
export function readControlBody({ request }: ControlCall): Promise<Buffer> {
  return readBody(request, { maxBytes: MAX_BODY_BYTES });
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

/**
 * Whether the caller may make, see, change, claim or delete a subscription of these paths: those that it names, the
 * pattern, and the wake stream, all without a slash at the beginning.
 */
function mayControl(
  { context, options }: ControlCall,
  _asked: { readonly paths: readonly string[] },
): boolean {
  return options.publicWrites || context.audience === "internal";
}

/** @throws {ChanctlError} `forbidden`. */
export function assertMayControl(call: ControlCall, asked: { readonly paths: readonly string[] }): void {
  if (!mayControl(call, asked)) throw new ChanctlError("forbidden", "this subscription is not for you");
}

/** @throws {ChanctlError} `method_not_allowed`. */
export function assertControlMethod({ request, response }: ControlCall, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? "")) return;
  response.setHeader("allow", allowed.join(", "));
  throw new ChanctlError("method_not_allowed", `the method must be ${allowed.join(" or ")}`);
}

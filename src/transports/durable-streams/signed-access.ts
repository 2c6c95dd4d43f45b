import type { StreamOperation } from "../../protocol/app-call.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { TransportContext } from "../context.ts";
import { headerOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";
import { resolveStream } from "./stream-target.ts";
import type { StreamTarget } from "./stream-target.ts";

const HEADER = "x-signed";
const PARAMETER = "signed";

/** All signed stream tokens that a request shows, in `X-Signed` and in the query; an empty one is one, too. */
export function signedTokensOf({
  request,
  query,
}: {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
}): string[] {
  const header = headerOf(request, HEADER);
  return [...(header === undefined ? [] : [header]), ...query.getAll(PARAMETER)];
}

interface SignedRequest {
  readonly signed: readonly string[];
  readonly target: StreamTarget;
  readonly operation: StreamOperation;
}

/**
 * Checks that every signed token names exactly the stream that is asked for, and that it is only to be read.
 *
 * @throws {ChanctlError} `signed_invalid`, `signed_read_only`.
 */
export function assertSigned(
  { tokens, registry }: TransportContext,
  { signed, target, operation }: SignedRequest,
): void {
  for (const token of signed) {
    const name = tokens.signedName(token);
    if (name === undefined)
      throw new ChanctlError(
        "signed_invalid",
        "the signed stream token was not made with this server's secret",
      );
    if (pathOf(registry, name) !== target.path)
      throw new ChanctlError(
        "signed_invalid",
        `the signed stream token is not for the stream \`${target.name}\``,
      );
  }
  if (operation !== "read")
    throw new ChanctlError("signed_read_only", `a signed stream token does not allow to ${operation}`);
}

/** The path that a name means, in the form of the store; `undefined` if it is the name of nothing. */
function pathOf(registry: TransportContext["registry"], name: string): string | undefined {
  try {
    return resolveStream(registry, name).path;
  } catch (error) {
    if (error instanceof ChanctlError) return undefined;
    throw error;
  }
}

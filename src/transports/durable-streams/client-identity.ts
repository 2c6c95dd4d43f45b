import type { Identity } from "../../auth/jwt.ts";
import type { StreamTokens } from "../../auth/stream-tokens.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { headerOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";

interface IdentifyRequest {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
}

const BEARER = /^Bearer +(\S+) *$/i;

/**
 * Who a client is, by its JWT: in `X-JID`, else in `Authorization: Bearer`, else in the query's `jid`.
 *
 * @throws {ChanctlError} `token_missing`, `token_invalid`, `token_expired`; `keys_unavailable`.
 */
export async function identifyClient(
  tokens: StreamTokens,
  asked: IdentifyRequest,
): Promise<Identity | undefined> {
  const token = jwtOf(asked, tokens.param);
  if (token !== undefined) return tokens.identify(token);
  const { param } = tokens;
  throw new ChanctlError(
    "token_missing",
    `the request has no token in \`X-${param.toUpperCase()}\`, \`Authorization: Bearer\` or \`${param}\``,
  );
}

/**
 * The same where it is not asked for: whoever shows no token, or one that is no good, is nobody.
 *
 * @throws {ChanctlError} `keys_unavailable`: the token might be good.
 */
export async function identifyIfShown(
  tokens: StreamTokens,
  asked: IdentifyRequest,
): Promise<Identity | undefined> {
  const token = jwtOf(asked, tokens.param);
  if (token === undefined) return undefined;
  try {
    return await tokens.identify(token);
  } catch (error) {
    if (error instanceof ChanctlError && error.code !== "keys_unavailable") return undefined;
    throw error;
  }
}

function jwtOf({ request, query }: IdentifyRequest, param: string): string | undefined {
  return (
    headerOf(request, `x-${param.toLowerCase()}`) ||
    BEARER.exec(headerOf(request, "authorization") ?? "")?.[1] ||
    query.get(param) ||
    undefined
  );
}

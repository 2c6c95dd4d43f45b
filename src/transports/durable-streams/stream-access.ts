import type { Caller } from "../../auth/authorizer.ts";
import { readCredentials } from "../../auth/credentials.ts";
import type { Credentials } from "../../auth/credentials.ts";
import type { Grant } from "../../auth/grant.ts";
import type { Identity } from "../../auth/jwt.ts";
import { isClaimed } from "../../auth/stream-claims.ts";
import type { ConnectionOverrides, StreamOperation } from "../../protocol/app-call.ts";
import { addressOf } from "../access.ts";
import type { TransportContext } from "../context.ts";
import { headerOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";
import { identifyClient, identifyIfShown } from "./client-identity.ts";
import { isOpenTo } from "./options.ts";
import type { DurableStreamsOptions } from "./options.ts";
import { assertSigned, signedTokensOf } from "./signed-access.ts";
import type { StreamTarget } from "./stream-target.ts";

/** Who wants to do what with which stream. */
export interface AccessRequest {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly target: StreamTarget;
  readonly operation: StreamOperation;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
}

/** What a caller was granted. */
export interface StreamAccess {
  readonly subject: string | undefined;
  /** Whether everybody has it: then an answer may be kept for others (PROTOCOL.md, section 10.1). */
  readonly isPublic: boolean;
  /** When it ends, in ms since 1970. */
  readonly expiresAt: number | undefined;
  /** What the app chose for this caller. */
  readonly overrides: ConnectionOverrides;
  /** When the app was asked, by `performance.now()`. */
  readonly askedAt: number;
}

interface AccessContext {
  readonly context: TransportContext;
  readonly options: DurableStreamsOptions;
}

/** What decides, whoever decided. */
type Decision = Pick<Grant, "subject" | "expiresAt" | "overrides" | "askedAt"> & {
  readonly isForAll: boolean;
};

/**
 * Whether a caller may do something with a stream: who they are, where that is asked for; then the first of a signed
 * token, what the settings open to all, and the app's word about a channel, or the JWT's and then the app's about a
 * raw stream. Fails closed.
 *
 * @returns `undefined` once the signal has aborted.
 * @throws {ChanctlError} `token_missing`, `token_invalid`, `token_expired`, `keys_unavailable` of a JWT; `signed_invalid`,
 *   `signed_read_only`; `unauthenticated`, `forbidden`, `stream_unknown`, `channel_unknown`, `app_unavailable`.
 */
export async function authorizeStream(
  { context, options }: AccessContext,
  asked: AccessRequest,
): Promise<StreamAccess | undefined> {
  const isClient = context.audience === "public";
  const mustIdentify = isClient && context.tokens.verifiesJwts && !options.skipsAuthentication;
  const identity = mustIdentify ? await identifyClient(context.tokens, asked) : undefined;
  const decision = await decide({ context, options, identity }, asked);
  if (decision === undefined) return undefined;
  const { overrides, askedAt, isForAll } = decision;
  return {
    subject: decision.subject ?? identity?.subject,
    isPublic: isForAll && isClient && !mustIdentify,
    expiresAt: earlier(decision.expiresAt, identity?.expiresAt),
    overrides,
    askedAt,
  };
}

async function decide(
  { context, options, identity }: AccessContext & { readonly identity: Identity | undefined },
  asked: AccessRequest,
): Promise<Decision | undefined> {
  const { operation, target } = asked;
  // Before all else, on the internal listener too: an app that passes a client's request on must not lend its rights
  // to a token that is another stream's (CWE-441).
  const signed = signedTokensOf(asked);
  if (signed.length > 0) {
    assertSigned(context, { ...asked, signed });
    return granted({ isForAll: false });
  }
  if (context.audience === "internal") return granted({ isForAll: false });
  if (isOpenTo(options, operation)) return granted({ isForAll: true });
  if (target.channel !== undefined)
    return decideChannel(context, { ...asked, channel: target.channel, identity });
  return decideRaw(context, { ...asked, options, identity });
}

async function decideChannel(
  { authorizer }: TransportContext,
  {
    request,
    query,
    channel,
    operation,
    signal,
    identity,
  }: AccessRequest & { channel: StreamTarget["channel"] & {}; identity: Identity | undefined },
): Promise<Decision | undefined> {
  const { definition } = channel.channel;
  const caller: Caller = {
    definition,
    params: channel.params,
    operation: operation === "read" ? "subscribe" : "publish",
    transport: "ds",
    credentials: readCredentials(toSource(request, query), definition.auth),
    subject: identity?.subject,
  };
  const grant = await authorizer.authorize(caller, signal);
  return grant && { ...grant, isForAll: definition.public };
}

async function decideRaw(
  { tokens, authorizer }: TransportContext,
  {
    request,
    query,
    target,
    operation,
    signal,
    options,
    identity,
  }: AccessRequest & { options: DurableStreamsOptions; identity: Identity | undefined },
): Promise<Decision | undefined> {
  // Where nobody is asked who they are, a JWT may still say what its bearer may do.
  const shown = options.skipsAuthentication ? await identifyIfShown(tokens, { request, query }) : undefined;
  const claimant = identity ?? shown;
  if (claimant !== undefined && isClaimed(claimant.streams, { path: target.name, operation })) {
    const { subject, expiresAt } = claimant;
    return granted({ isForAll: false, ...optional({ subject, expiresAt }) });
  }
  const credentials = readStreamCredentials(request, query);
  const { name: stream } = target;
  const subject = claimant?.subject;
  const grant = await authorizer.authorizeStream({ stream, operation, credentials, subject }, signal);
  return grant && { ...grant, isForAll: false };
}

/** No definition says what of a request the app gets to see of a raw stream's caller: the two usual places. */
function readStreamCredentials(request: HttpRequest, query: URLSearchParams): Credentials {
  const credentials = readCredentials(toSource(request, query), { headerName: "authorization" });
  const cookie = headerOf(request, "cookie");
  return cookie === undefined ? credentials : { ...credentials, cookie };
}

function toSource(request: HttpRequest, query: URLSearchParams): Parameters<typeof readCredentials>[0] {
  const token = query.get("token") || undefined;
  return { headers: request.headers, ip: addressOf(request), ...(token === undefined ? {} : { token }) };
}

function granted({
  isForAll,
  subject,
  expiresAt,
}: Pick<Decision, "isForAll" | "subject" | "expiresAt">): Decision {
  const none = { overrides: {}, askedAt: performance.now() };
  return { ...none, isForAll, ...optional({ subject, expiresAt }) };
}

function optional({
  subject,
  expiresAt,
}: {
  subject: string | undefined;
  expiresAt: number | undefined;
}): Pick<Grant, "subject" | "expiresAt"> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

import type { IncomingMessage } from "node:http";
import type { Grant } from "../auth/grant.ts";
import { ChanctlError } from "../shared/errors.ts";
import { authorize, hasCredential } from "./access.ts";
import type { ChannelTarget } from "./channel-target.ts";
import { frameMembers, parseClientFrame } from "./client-frame.ts";
import type { TransportContext } from "./context.ts";
import type { FrameInbox } from "./frame-inbox.ts";
import { toChanctlError } from "./http.ts";

/** Who wants to be let in, or to stay. */
export interface Applicant {
  readonly request: IncomingMessage;
  readonly address: string;
  readonly inbox: FrameInbox;
  readonly target: ChannelTarget;
  /** A credential outside the headers. */
  readonly token: string | undefined;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
}

/**
 * Asks who the caller is; whoever waits for the answer, or to say who it is, counts as a connection.
 *
 * @returns `undefined` once the signal has aborted.
 * @throws {ChanctlError} as `Connections.expect` and `Authorizer.authorize`; `unauthenticated` for no token in time.
 */
export async function admit(context: TransportContext, applicant: Applicant): Promise<Grant | undefined> {
  const { address, token } = applicant;
  const isClient = context.audience === "public";
  using _place = context.connections.expect({ address, isClient });
  return await ask(context, { ...applicant, token: token ?? (await awaitToken(context, applicant)) });
}

/**
 * Asks whether whoever was let in may stay with a new token, as the same subject.
 *
 * @returns `undefined` once the signal has aborted.
 * @throws {ChanctlError} `unauthenticated` for a refusal, or another subject; `app_unavailable`.
 */
export async function readmit(
  context: TransportContext,
  applicant: Applicant & { readonly subject: string | undefined },
): Promise<Grant | undefined> {
  const grant = await ask(context, applicant).catch((thrown: unknown) => {
    const error = toChanctlError(thrown, context.logger);
    // Refused is over; an app that cannot be asked is not, the old grant still has its end.
    if (error.code === "app_unavailable") throw error;
    throw new ChanctlError("unauthenticated", error.message, { cause: error });
  });
  if (grant === undefined || applicant.signal.aborted) return undefined;
  if (grant.subject !== applicant.subject)
    throw new ChanctlError("unauthenticated", "the new token is another subject's");
  return grant;
}

/** A browser cannot set headers: who shows nothing with the handshake may send an `auth` frame first. */
async function awaitToken(
  context: TransportContext,
  { request, inbox, target }: Applicant,
): Promise<string | undefined> {
  const { limits } = context;
  if (hasCredential(context, request, target)) return undefined;
  const waited = new AbortController();
  const timer = setTimeout(() => waited.abort(), limits.authFrameWaitMs);
  const frame = await inbox.take(waited.signal).finally(() => clearTimeout(timer));
  const parsed = frame === undefined ? undefined : parseClientFrame(frame, frameMembers(frame), limits);
  if (parsed?.kind === "auth") return parsed.token;
  throw new ChanctlError(
    "unauthenticated",
    "the first frame must be an auth frame, or the handshake must carry a credential",
    frame === undefined ? { limit: "authFrameWaitMs" } : {},
  );
}

function ask(
  context: TransportContext,
  { request, target, token, signal }: Applicant,
): Promise<Grant | undefined> {
  return authorize(context, {
    request,
    target,
    operation: "subscribe",
    transport: "ws",
    signal,
    ...(token === undefined ? {} : { token }),
  });
}

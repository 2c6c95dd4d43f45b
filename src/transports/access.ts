import type { Grant } from "../auth/grant.ts";
import { publicGrant } from "../auth/grant.ts";
import { readCredentials } from "../auth/credentials.ts";
import type { Publisher } from "../broker/broker.ts";
import type { AuthorizeRequest, Operation } from "../protocol/app-call.ts";
import type { ChannelTarget } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import type { HttpRequest } from "./http.ts";

export interface AccessRequest {
  readonly request: HttpRequest;
  readonly target: ChannelTarget;
  readonly operation: Operation;
  readonly transport: AuthorizeRequest["transport"];
  /** A token given outside the headers; counts as Bearer. */
  readonly token?: string;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
}

/**
 * Whether whoever is on the line may do this. The app is asked about strangers; the app itself may do anything.
 *
 * @returns `undefined` once the signal has aborted.
 * @throws {ChanctlError} as `Authorizer.authorize`.
 */
export async function authorize(context: TransportContext, asked: AccessRequest): Promise<Grant | undefined> {
  const { definition } = asked.target.channel;
  if (context.audience === "internal") {
    return { ...publicGrant(definition), operations: new Set(["subscribe", "publish"]) };
  }
  const { request, target, operation, transport, token, signal } = asked;
  const credentials = readCredentials(
    { headers: request.headers, ip: request.socket.remoteAddress, ...(token === undefined ? {} : { token }) },
    definition.auth,
  );
  const caller = { definition, params: target.params, operation, transport, credentials };
  return context.authorizer.authorize(caller, signal);
}

/** Whether a request shows anything that the channel's `auth` asks for. */
export function hasCredential(
  { audience }: TransportContext,
  request: HttpRequest,
  { channel }: ChannelTarget,
): boolean {
  const { auth } = channel.definition;
  if (audience === "internal" || auth === undefined) return true;
  const { header, cookie } = readCredentials({ headers: request.headers, ip: undefined }, auth);
  return header !== undefined || cookie !== undefined;
}

/** In whose name messages are stored. */
export function publisherOf({ audience }: TransportContext, { subject }: Pick<Grant, "subject">): Publisher {
  if (audience === "internal") return { kind: "app" };
  return { kind: "client", ...(subject === undefined ? {} : { subject }) };
}

/** The address that limits count callers without a subject by. */
export function addressOf(request: HttpRequest): string {
  return request.socket.remoteAddress ?? "";
}

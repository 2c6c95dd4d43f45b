import type { StreamOperation } from "../../protocol/app-call.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { addressOf } from "../access.ts";
import { toCurrent } from "../channel-target.ts";
import type { TransportContext } from "../context.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import type { DurableStreamsOptions } from "./options.ts";
import { authorizeStream } from "./stream-access.ts";
import type { StreamAccess } from "./stream-access.ts";
import type { StreamCall } from "./stream-call.ts";
import { resolveStream } from "./stream-target.ts";
import type { StreamTarget } from "./stream-target.ts";

interface Applicant {
  readonly context: TransportContext;
  readonly options: DurableStreamsOptions;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly query: URLSearchParams;
  readonly target: StreamTarget;
  readonly operation: StreamOperation;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
}

/**
 * Lets a request in, or not.
 *
 * @returns `undefined` once the signal has aborted.
 * @throws {ChanctlError} as `authorizeStream`; `channel_changed` if the stream is no longer what was asked about.
 */
export async function admit(applicant: Applicant): Promise<StreamCall | undefined> {
  const { context, options, request, response, query, operation, signal } = applicant;
  const access = await askAtTheDoor(applicant);
  if (access === undefined) return undefined;
  const target = toCurrentStream(context, applicant.target);
  const granted = new Map([[operation, access]]);
  return {
    context,
    options,
    request,
    response,
    query,
    target,
    subject: access.subject,
    isPublic: access.isPublic,
    replayWindowMs: () => access.overrides.replayWindowMs ?? replayWindowOf(context, target),
    expiresAt: access.expiresAt,
    askedAt: access.askedAt,
    confirm: async (wanted, on = target) => {
      const known = on === target ? granted.get(wanted) : undefined;
      if (known !== undefined && isCurrent(context, { target, access: known })) return known;
      const renewed = await authorizeStream(applicant, {
        request,
        query,
        target: on,
        operation: wanted,
        signal,
      });
      toCurrentStream(context, on);
      if (on === target && renewed !== undefined) granted.set(wanted, renewed);
      return renewed;
    },
  };
}

/** Who is to stay counts as a connection from when the app is asked. */
async function askAtTheDoor(applicant: Applicant): Promise<StreamAccess | undefined> {
  const { context, request, query } = applicant;
  if (!query.has("live")) return authorizeStream(applicant, applicant);
  const isClient = context.audience === "public";
  using _place = context.connections.expect({ address: addressOf(request), isClient });
  return await authorizeStream(applicant, applicant);
}

/** Whether a grant still holds: it is not over, and nothing that means its holder has been ended since. */
function isCurrent(
  { connections, audience }: TransportContext,
  { target, access }: { readonly target: StreamTarget; readonly access: StreamAccess },
): boolean {
  const { subject, expiresAt, isPublic } = access;
  if (audience === "internal" || isPublic) return true;
  if (expiresAt !== undefined && expiresAt <= Date.now()) return false;
  return connections.isCurrent({ channel: target.channel?.channel.name ?? "", subject }, access);
}

/** What was asked about may have changed while the app was asked (CWE-367). */
function toCurrentStream({ registry }: TransportContext, target: StreamTarget): StreamTarget {
  if (target.channel !== undefined) return { ...target, channel: toCurrent(registry, target.channel) };
  if (resolveStream(registry, target.name).channel === undefined) return target;
  throw new ChanctlError("channel_changed", `\`${target.name}\` has become a channel's`, {
    retryAfterSecs: 1,
  });
}

/** A raw stream is kept for as long as it lives; a channel says how far back its readers go, as it is now. */
function replayWindowOf({ registry }: TransportContext, { channel }: StreamTarget): number {
  if (channel === undefined) return Number.POSITIVE_INFINITY;
  return (registry.get(channel.channel.name) ?? channel.channel).definition.lifecycle.replayWindowMs;
}

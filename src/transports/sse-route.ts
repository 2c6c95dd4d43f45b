import { encodeEnding, encodeOpening, SSE_CONTENT_TYPE, SSE_KEEPALIVE } from "../protocol/sse.ts";
import { encodeOffset } from "../protocol/offset.ts";
import { parseStart } from "../protocol/start.ts";
import { SSE_ENCODING } from "../broker/encoding.ts";
import type { Followed } from "../broker/follow.ts";
import type { Grant } from "../auth/grant.ts";
import { ChanctlError } from "../shared/errors.ts";
import { addressOf, authorize } from "./access.ts";
import { findChannel, resolveTarget, toCurrent } from "./channel-target.ts";
import type { ChannelTarget, ChannelUrl } from "./channel-target.ts";
import { connectionTerms } from "./connection-terms.ts";
import type { ConnectionTerms } from "./connection-terms.ts";
import type { Connection } from "./connections.ts";
import type { TransportContext } from "./context.ts";
import { endResponse } from "./end-response.ts";
import { hasLeft, headerOf, leavingOf, toChanctlError } from "./http.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { logConnect } from "./log-connect.ts";
import { toOutlet } from "./outlet.ts";
import { SocketSink } from "./socket-sink.ts";

export interface SseCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly url: ChannelUrl;
}

/** When a client should reconnect after a drop: spread, so that a thousand do not come at once. */
const RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;

/** `GET /channels/<name>`: the stream as Server-Sent Events, from where the client asks, until one side ends it. */
export async function serveSse(context: TransportContext, call: SseCall): Promise<void> {
  const { request, response, url } = call;
  const asked = resolveTarget(findChannel(context.registry, url.name), url.search);
  const start = parseStart({
    lastEventId: headerOf(request, "last-event-id"),
    lastMessageId: url.query.get("last_message_id") ?? undefined,
    rewind: url.query.get("rewind") ?? undefined,
  });
  const left = leavingOf(response);
  const grant = await admit(context, { ...call, target: asked, signal: left.signal });
  // From here to `connections.add` no `await` may enter: a change of the channel would pass this connection by.
  if (grant === undefined) return;
  assertFirstInLine(response);
  const target = toCurrent(context.registry, asked);
  const isClient = context.audience === "public";
  context.connections.assertRoom({ subject: grant.subject, address: addressOf(request), isClient });
  const { path } = target;
  const terms = connectionTerms(context.registry, { channel: target.channel, grant: () => grant });
  const followed = context.broker.follow({
    path,
    start,
    replayWindowMs: () => terms.replayWindowMs,
    keepMs: () => grant.overrides.inactivityTtlMs,
  });
  try {
    await stream(context, { ...call, target, grant, terms, followed, left });
  } finally {
    followed.close();
  }
}

/**
 * A response behind one that never ends is never sent, and never told that its client has left: each would be a
 * subscriber whom nobody is behind (CWE-772).
 *
 * @throws {ChanctlError} `malformed`.
 */
function assertFirstInLine(response: HttpResponse): void {
  if ("stream" in response || response.socket !== null) return;
  throw new ChanctlError("malformed", "an event stream must not be pipelined behind another request");
}

/** Asks who the caller is; whoever waits for the answer counts as a connection. */
async function admit(
  context: TransportContext,
  { request, url, target, signal }: SseCall & { target: ChannelTarget; signal: AbortSignal },
): Promise<Grant | undefined> {
  const isClient = context.audience === "public";
  using _place = context.connections.expect({ address: addressOf(request), isClient });
  const token = url.query.get("token") || undefined;
  return await authorize(context, {
    request,
    target,
    operation: "subscribe",
    transport: "sse",
    signal,
    ...(token === undefined ? {} : { token }),
  });
}

interface OpenSse extends SseCall {
  readonly target: ChannelTarget;
  /** Aborts when one side ends it. */
  readonly left: AbortController;
  readonly grant: Grant;
  readonly terms: ConnectionTerms;
  readonly followed: Followed;
}

async function stream(
  context: TransportContext,
  { request, response, target, grant, terms, followed, left }: OpenSse,
): Promise<void> {
  if (hasLeft(response)) return;
  sendHead(response);
  const sink = new SocketSink(SSE_ENCODING, toOutlet(response));
  sink.write(Buffer.from(encodeOpening({ retryMs: spreadRetry(), id: encodeOffset(followed.position) })));

  let reason: ChanctlError | undefined;
  const connection: Connection = {
    channel: target.channel.definition.name,
    subject: grant.subject,
    address: addressOf(request),
    isClient: context.audience === "public",
    get lastBeatAt() {
      return sink.lastSentAt;
    },
    unansweredSince: undefined,
    get keepaliveIntervalMs() {
      return terms.keepaliveIntervalMs;
    },
    get endsAt() {
      return terms.endsAt;
    },
    keepAlive: () => sink.write(Buffer.from(SSE_KEEPALIVE)),
    end: (why, { afterMs = spreadRetry() } = {}) => {
      if (left.signal.aborted) return;
      reason = why;
      sink.write(Buffer.from(encodeEnding({ retryMs: afterMs, reason: why.title })));
      left.abort();
    },
    kill: () => response.destroy(),
  };
  const logEnd = logConnect(context, { path: target.path, subject: grant.subject, transport: "sse" });
  context.connections.add(connection, grant);
  try {
    await followed.run(sink, left.signal);
  } catch (thrown) {
    connection.end(toChanctlError(thrown, context.logger));
  } finally {
    context.connections.remove(connection);
    logEnd(reason);
    endResponse(response);
  }
}

function sendHead(response: HttpResponse): void {
  response.setHeader("content-type", SSE_CONTENT_TYPE);
  response.setHeader("cache-control", "no-store, no-transform");
  response.setHeader("x-accel-buffering", "no");
  response.setHeader("x-content-type-options", "nosniff");
  response.writeHead(200);
}

function spreadRetry(): number {
  return RETRY_MS + Math.round(Math.random() * RETRY_SPREAD_MS);
}

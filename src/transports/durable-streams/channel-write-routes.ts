import { JSON_MEDIA_TYPE } from "../../protocol/durable-streams/media-type.ts";
import { parseAppendHeaders, parseCreateHeaders } from "../../protocol/durable-streams/write-headers.ts";
import { parsePublishBody } from "../../protocol/message.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { toCurrent } from "../channel-target.ts";
import type { ChannelTarget } from "../channel-target.ts";
import { leavingOf, readBody, sendAnswer } from "../http.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { append } from "../publish.ts";
import { decodeJson } from "./body.ts";
import { toRefusal } from "./refusal.ts";
import type { StreamCall } from "./stream-call.ts";
import { singleHeadersOf } from "./single-headers.ts";
import { setPosition, setProducer } from "./stream-headers.ts";
import { findStream } from "./stream-target.ts";

/** What a channel's stream can be asked for; closing and forking are none of it. */
const ALLOW = "GET, HEAD, PUT, POST";

/**
 * PUT of a channel's stream, which is there as soon as the channel is: confirms that it is as asked for.
 *
 * @see PROTOCOL.md, section 5.1
 */
export async function serveConfirm(call: StreamCall): Promise<void> {
  const { context, target, request, response } = call;
  const { mediaType, ttlSecs, expiresAt, closes, fork } = parseCreateHeaders(singleHeadersOf(request));
  if (fork !== undefined) throw refuse(call, "a channel's stream cannot be made as a fork");
  const bytes = await readBody(request, {
    maxBytes: context.limits.maxPublishBytes,
    limit: "maxPublishBytes",
    share: context.bodies.share(response),
  });
  const differs =
    mediaType !== undefined && mediaType !== JSON_MEDIA_TYPE
      ? "its `Content-Type` is application/json"
      : ttlSecs !== undefined || expiresAt !== undefined
        ? "it has no `Stream-TTL` and no `Stream-Expires-At`"
        : closes
          ? "it is not `Stream-Closed`"
          : bytes.length > 0
            ? "it is there already, so it takes no body with a PUT"
            : undefined;
  if (differs !== undefined)
    throw new ChanctlError("stream_exists", `\`${target.name}\` is the stream of a channel: ${differs}`);
  const { tail, isClosed } = findStream(context.broker, target);
  setPosition(response, { next: tail, isClosed });
  const headers = { "content-type": JSON_MEDIA_TYPE, "cache-control": "no-store" };
  sendAnswer(response, { status: 200, headers });
}

/**
 * POST to a channel's stream: a publish, answered as an append is.
 *
 * @see PROTOCOL.md, sections 5.2 and 5.2.1
 */
export async function servePublish(call: StreamCall): Promise<void> {
  const { context, target, request, response } = call;
  const { mediaType, seq, producer, closes } = parseAppendHeaders(singleHeadersOf(request));
  if (closes) throw refuse(call, "a channel's stream cannot be closed");
  assertJson(mediaType);
  const key = readIdempotencyKey(request);
  const rate = context.audience === "public" ? context.publishRates.of(request) : undefined;
  rate?.take();
  const { signal } = leavingOf(response);
  const bytes = await readBody(request, {
    maxBytes: context.limits.maxPublishBytes,
    limit: "maxPublishBytes",
    share: context.bodies.share(response),
  });
  if (bytes.length === 0) throw new ChanctlError("malformed", "the body must not be empty");
  const drafts = parsePublishBody(decodeJson(bytes), context.limits);
  if (drafts.length > 1) rate?.takeRest(drafts.length - 1);
  const access = await call.confirm("append");
  if (access === undefined) return;
  const { subject } = access;
  const { result } = append(context, {
    target: toCurrent(context.registry, channelOf(call)),
    drafts,
    grant: subject === undefined ? {} : { subject },
    transport: "ds",
    signal,
    ...(key === undefined ? {} : { key }),
    ...(producer === undefined ? {} : { producer }),
    ...(seq === undefined ? {} : { seq }),
  });
  const appended = await result.catch((thrown: unknown) => {
    if (thrown !== signal.reason) throw thrown; // else nobody is there to be told
  });
  if (appended === undefined) return;
  if (appended.kind === "refused") {
    if (appended.reason !== "key-reused")
      throw toRefusal(response, appended, { name: target.name, producer });
    throw new ChanctlError("key_reused", `the \`Idempotency-Key\` \`${key}\` was used for another message`);
  }
  const { incarnation, first, count, isRepeat } = appended;
  setPosition(response, { next: { incarnation, position: first + count }, isClosed: false });
  setProducer(response, appended.producer);
  sendAnswer(response, { status: producer !== undefined && !isRepeat ? 200 : 204 });
}

function assertJson(mediaType: string | undefined): void {
  if (mediaType === undefined)
    throw new ChanctlError("malformed", "`Content-Type` is missing; send application/json");
  if (mediaType === JSON_MEDIA_TYPE) return;
  const message = `\`Content-Type\` must be ${JSON_MEDIA_TYPE}, the stream's own, got ${mediaType}`;
  throw new ChanctlError("media_type_mismatch", message);
}

function channelOf({ target }: StreamCall): ChannelTarget {
  if (target.channel === undefined) throw new Error(`the stream ${target.path} is no channel's`);
  return target.channel;
}

function refuse({ response }: StreamCall, message: string): ChanctlError {
  response.setHeader("allow", ALLOW);
  return new ChanctlError("method_not_allowed", message);
}

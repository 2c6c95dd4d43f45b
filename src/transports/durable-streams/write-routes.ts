import { DEFAULT_MEDIA_TYPE } from "../../protocol/durable-streams/media-type.ts";
import { parseAppendHeaders, parseCreateHeaders } from "../../protocol/durable-streams/write-headers.ts";
import type { ForkRequest } from "../../protocol/durable-streams/write-headers.ts";
import type { Fork } from "../../broker/stream-operation.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { readBody, sendAnswer } from "../http.ts";
import { toBodies } from "./body.ts";
import { toRefusal } from "./refusal.ts";
import { baseUrlOf } from "./request-base.ts";
import type { StreamCall } from "./stream-call.ts";
import { setLifetime, setPosition, setProducer } from "./stream-headers.ts";
import { findStream, resolveStream } from "./stream-target.ts";
import { singleHeadersOf } from "./single-headers.ts";

/** The producer of the protocol's client sends batches of a little over 1 MiB. */
const MAX_APPEND_BYTES = 16 * 1_024 * 1_024;

/** PUT of a raw stream: creates it, or confirms that it is there as asked for (PROTOCOL.md, sections 4.2 and 5.1). */
export async function serveCreate(call: StreamCall): Promise<void> {
  const { context, target, request, response } = call;
  const { mediaType, ttlSecs, expiresAt, closes, fork } = parseCreateHeaders(singleHeadersOf(request));
  const share = context.bodies.share(response);
  const bytes = await readBody(request, { maxBytes: MAX_APPEND_BYTES, share });
  if ((await call.confirm("create")) === undefined) return;
  const source = fork && (await toFork(call, fork));
  if (fork !== undefined && source === undefined) return;
  const bodyType = mediaType ?? (source && sourceTypeOf(call, source)) ?? DEFAULT_MEDIA_TYPE;
  const result = await context.broker.streams.create({
    path: target.path,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(ttlSecs === undefined ? {} : { ttlMs: ttlSecs * 1_000 }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    closes,
    bodies: toBodies(bytes, bodyType),
    bodyType,
    ...(source === undefined ? {} : { fork: source }),
  });
  if (result.kind === "refused") throw toRefusal(response, result, { name: target.name });
  setPosition(response, { next: result.tail, isClosed: result.isClosed });
  setLifetime(response, result);
  if (result.isNew) response.setHeader("location", urlOf(call));
  const headers = { "content-type": result.mediaType, "cache-control": "no-store" };
  sendAnswer(response, { status: result.isNew ? 201 : 200, headers });
}

/** POST to a raw stream: appends, closes, or both (PROTOCOL.md, sections 5.2 and 5.3). */
export async function serveAppend(call: StreamCall): Promise<void> {
  const { context, target, request, response } = call;
  const { mediaType, seq, producer, closes } = parseAppendHeaders(singleHeadersOf(request));
  const share = context.bodies.share(response);
  const bytes = await readBody(request, { maxBytes: MAX_APPEND_BYTES, share });
  if (bytes.length === 0 && !closes)
    throw new ChanctlError(
      "malformed",
      "the body must not be empty unless `Stream-Closed: true` closes the stream",
    );
  if (bytes.length > 0 && mediaType === undefined)
    throw new ChanctlError("malformed", "`Content-Type` is missing; send the stream's own");
  // A closing request may append, too, which is asked about when there is something to append.
  if (closes && (await call.confirm("close")) === undefined) return;
  if (bytes.length > 0 && (await call.confirm("append")) === undefined) return;
  // What the stream is says how its body is read; a closed one answers so whatever the body holds.
  const stream = findStream(context.broker, target);
  const isReadable = mediaType === stream.mediaType && !stream.isClosed;
  const bodies =
    mediaType === undefined || bytes.length === 0 ? [] : isReadable ? toBodies(bytes, mediaType) : [bytes];
  if (bytes.length > 0 && bodies.length === 0)
    throw new ChanctlError("malformed", "the array must not be empty");
  const result = await context.broker.streams.write({
    path: target.path,
    bodies,
    closes,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(producer === undefined ? {} : { producer }),
    ...(seq === undefined ? {} : { seq }),
  });
  if (result.kind === "refused") throw toRefusal(response, result, { name: target.name, producer });
  setPosition(response, { next: result.tail, isClosed: result.isClosed });
  setProducer(response, result.producer);
  const isNewOfProducer = producer !== undefined && !result.isRepeat && bodies.length > 0;
  sendAnswer(response, { status: isNewOfProducer ? 200 : 204 });
}

/** DELETE of a raw stream (PROTOCOL.md, section 5.4). */
export async function serveDelete({ context, target, response }: StreamCall): Promise<void> {
  findStream(context.broker, target);
  const result = await context.broker.streams.delete(target.path);
  if (result.kind === "refused") throw toRefusal(response, result, { name: target.name });
  sendAnswer(response, { status: 204 });
}

/** HEAD of a stream: where it stands, and how long it lives (PROTOCOL.md, section 5.5). */
export function serveHead({ context, target, response }: StreamCall): void {
  const stream = findStream(context.broker, target);
  setPosition(response, { next: stream.tail, isClosed: stream.isClosed });
  if (stream.state !== undefined) setLifetime(response, stream.state);
  response.setHeader("content-type", stream.mediaType);
  response.setHeader("cache-control", "no-store");
  response.statusCode = 200;
  response.end();
}

/**
 * A fork shows what its source holds, so whoever makes one must be allowed to read that (CWE-639).
 *
 * @returns `undefined` once the client has left.
 * @throws {ChanctlError} `malformed` if the source is no path of this server's streams; `method_not_allowed` for a
 *   channel's; as `StreamCall.confirm`.
 */
async function toFork(
  call: StreamCall,
  { source, offset, subOffset }: ForkRequest,
): Promise<Fork | undefined> {
  const { context, options } = call;
  const prefix = `${options.path}/`;
  const [path = ""] = source.split("?", 1);
  if (!path.startsWith(prefix))
    throw new ChanctlError("malformed", `\`Stream-Forked-From\` must be a path under \`${prefix}\``);
  const target = resolveStream(context.registry, path.slice(prefix.length));
  if (target.channel !== undefined) {
    call.response.setHeader("allow", "GET, HEAD, PUT, POST, DELETE");
    throw new ChanctlError("method_not_allowed", "a channel's stream cannot be forked");
  }
  if ((await call.confirm("read", target)) === undefined) return undefined;
  return { source: target.path, subOffset, ...(offset === undefined ? {} : { offset }) };
}

function sourceTypeOf({ context }: StreamCall, { source }: Fork): string | undefined {
  return context.broker.streams.find(source)?.mediaType;
}

function urlOf({ request, options, target }: StreamCall): string {
  return `${baseUrlOf(request, options.path)}/${target.name}`;
}

import { ChanctlError } from "../shared/errors.ts";
import { parsePublishBody } from "../protocol/message.ts";
import { authorize } from "./access.ts";
import { resolveTarget } from "./channel-target.ts";
import type { ChannelUrl } from "./channel-target.ts";
import type { Channel } from "../registry/channel.ts";
import type { TransportContext } from "./context.ts";
import { headerOf, readBody, sendJson } from "./http.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { assertClientsMayPublish, publish } from "./publish.ts";
import type { RateLimit } from "./rate-limit.ts";

const MAX_KEY_LENGTH = 256;

export interface PublishCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly channel: Channel;
  readonly url: ChannelUrl;
  /** Of the connection that the request came on. */
  readonly rate: RateLimit;
}

/** `POST /channels/<name>/messages`: stores one message or a batch, and answers with the ids once they are durable. */
export async function servePublish(context: TransportContext, call: PublishCall): Promise<void> {
  const { request, response, channel, url, rate } = call;
  const target = resolveTarget(channel, url.query);
  assertClientsMayPublish(context, target);
  assertJsonContent(request);
  const key = readKey(request);
  if (context.audience === "public") rate.take();
  const token = url.query.get("token") || undefined;
  const grant = await authorize(context, {
    request,
    target,
    operation: "publish",
    transport: "http",
    ...(token === undefined ? {} : { token }),
  });
  const body = decodeUtf8(await readBody(request, context.limits.maxPublishBytes));
  const drafts = parsePublishBody(body, context.limits);
  const publishing = publish(context, {
    target,
    drafts,
    grant,
    transport: "http",
    ...(key === undefined ? {} : { key }),
  });
  const ids = await publishing.ids;
  sendJson(response, 200, { ids });
}

function assertJsonContent(request: HttpRequest): void {
  const given = headerOf(request, "content-type");
  if (given?.split(";")[0]?.trim().toLowerCase() === "application/json") return;
  const what = given === undefined ? "nothing" : `\`${given}\``;
  throw new ChanctlError(
    "content_type_unsupported",
    `\`content-type\` must be application/json, got ${what}`,
  );
}

/** @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
function readKey(request: HttpRequest): string | undefined {
  const key = headerOf(request, "idempotency-key");
  if (key === undefined) return undefined;
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH) return key;
  throw new ChanctlError("malformed", `\`Idempotency-Key\` must have 1 to ${MAX_KEY_LENGTH} characters`);
}

/** JSON is UTF-8 (RFC 8259, section 8.1); broken bytes would otherwise be stored as replacement characters. */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ChanctlError("malformed", "the body is not UTF-8", { cause });
  }
}

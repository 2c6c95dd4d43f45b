import { ChanctlError } from "../shared/errors.ts";
import { parsePublishBody } from "../protocol/message.ts";
import type { Grant } from "../auth/grant.ts";
import { authorize } from "./access.ts";
import { findChannel, resolveTarget, toCurrent } from "./channel-target.ts";
import type { ChannelTarget, ChannelUrl } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import { headerOf, leavingOf, readBody, sendJson } from "./http.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { assertClientsMayPublish, publish } from "./publish.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface PublishCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly url: ChannelUrl;
  /** Of the connection that the request came on. */
  readonly rate: RateLimit;
}

/** `POST /channels/<name>/messages`: stores one message or a batch, and answers with the ids once they are durable. */
export async function servePublish(context: TransportContext, call: PublishCall): Promise<void> {
  const { request, response, url, rate } = call;
  const asked = findTarget(context, url);
  assertJsonContent(request);
  const key = readIdempotencyKey(request);
  if (context.audience === "public") rate.take();
  const { signal } = leavingOf(response);
  let access = await admit(context, { request, url, target: asked, signal });
  if (access === undefined) return;
  const body = decodeUtf8(
    await readBody(request, {
      maxBytes: context.limits.maxPublishBytes,
      limit: "maxPublishBytes",
      share: context.bodies.share(response),
    }),
  );
  const drafts = parsePublishBody(body, context.limits);
  if (context.audience === "public" && drafts.length > 1) rate.takeRest(drafts.length - 1);
  // The body takes as long as its sender likes, and the app's word holds for what it was asked about (CWE-367).
  if (!isCurrent(context, access)) {
    access = await admit(context, { request, url, target: findTarget(context, url), signal });
    if (access === undefined) return;
  }
  const publishing = publish(context, {
    target: toCurrent(context.registry, access.target),
    drafts,
    grant: access.grant,
    transport: "http",
    signal,
    ...(key === undefined ? {} : { key }),
  });
  const ids = await publishing.ids.catch((thrown: unknown) => {
    if (thrown !== signal.reason) throw thrown; // else nobody is there to be told
  });
  if (ids !== undefined) sendJson(response, 200, { ids });
}

interface Access {
  readonly target: ChannelTarget;
  readonly grant: Grant;
}

/** @throws {ChanctlError} `channel_unknown`, `params_invalid`, `transport_forbidden`. */
function findTarget(context: TransportContext, url: ChannelUrl): ChannelTarget {
  const target = resolveTarget(findChannel(context.registry, url.name), url.search);
  assertClientsMayPublish(context, target);
  return target;
}

interface Asked extends Pick<PublishCall, "request" | "url"> {
  readonly target: ChannelTarget;
  readonly signal: AbortSignal;
}

async function admit(
  context: TransportContext,
  { request, url, target, signal }: Asked,
): Promise<Access | undefined> {
  const token = url.query.get("token") || undefined;
  const grant = await authorize(context, {
    request,
    target,
    operation: "publish",
    transport: "http",
    signal,
    ...(token === undefined ? {} : { token }),
  });
  return grant && { target, grant };
}

function isCurrent({ connections, audience }: TransportContext, { target, grant }: Access): boolean {
  const { definition } = target.channel;
  if (audience === "internal" || definition.public) return true;
  if (grant.expiresAt !== undefined && grant.expiresAt <= Date.now()) return false;
  return connections.isCurrent({ channel: definition.name, subject: grant.subject }, grant);
}

function assertJsonContent(request: HttpRequest): void {
  const encoding = headerOf(request, "content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    const hint = "send the JSON as it is, without `content-encoding`";
    throw new ChanctlError("content_type_unsupported", `the body must not be encoded, got \`${encoding}\``, {
      hint,
    });
  }
  const given = headerOf(request, "content-type");
  if (given?.split(";")[0]?.trim().toLowerCase() === "application/json") return;
  const what = given === undefined ? "nothing" : `\`${given}\``;
  throw new ChanctlError(
    "content_type_unsupported",
    `\`content-type\` must be application/json, got ${what}`,
  );
}

/** JSON is UTF-8 (RFC 8259, section 8.1); broken bytes would otherwise be stored as replacement characters. */
function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ChanctlError("malformed", "the body is not UTF-8", { cause });
  }
}

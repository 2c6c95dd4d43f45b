import { parseOffset } from "../../protocol/offset.ts";
import type { Ack, SubscriptionConfig } from "../../broker/subscription-operation.ts";
import type { Registry } from "../../registry/registry.ts";
import { clip } from "../../shared/clip.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { invalid } from "./control-error.ts";
import { canonicalizePattern } from "../../protocol/durable-streams/glob.ts";
import { canonicalizePath } from "../../protocol/durable-streams/stream-path.ts";
import { resolveStream } from "./stream-target.ts";

const MIN_LEASE_TTL_MS = 1_000;
const MAX_LEASE_TTL_MS = 10 * 60_000;
const DEFAULT_LEASE_TTL_MS = 30_000;
const MAX_STREAMS = 1_000;
const MAX_ACKS = 1_000;
const MAX_DESCRIPTION_LENGTH = 4_096;
const MAX_WORKER_LENGTH = 256;
const MAX_PATTERN_SEGMENTS = 64;
/** JSON can hold them, the store cannot: it would keep another text. */
const LONE_SURROGATE = /\p{Cs}/u;

/** What a PUT asks for. Paths are those of the store. */
export interface SubscriptionRequest {
  readonly config: SubscriptionConfig;
  readonly streams: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the body of a PUT. Fields that are not of its type are ignored, as unknown ones are.
 *
 * @throws {ChanctlError} `malformed` with the `field` that does not fit.
 * @see PROTOCOL.md, section 6.2
 */
export function parseSubscription(body: Buffer, registry: Registry): SubscriptionRequest {
  const fields = parseObject(body);
  const type = fields["type"];
  if (type !== "webhook" && type !== "pull-wake")
    throw invalid("type", `\`type\` must be "webhook" or "pull-wake", got ${show(type)}`);
  const pattern = optional(fields["pattern"], parsePattern);
  const streams = optional(fields["streams"], (value) => parseStreams(value, registry)) ?? [];
  if (pattern === undefined && streams.length === 0)
    throw invalid("pattern", "`pattern` or `streams` must say which streams");
  const description = optional(fields["description"], parseDescription);
  return {
    config: {
      type,
      ...(pattern === undefined ? {} : { pattern }),
      ...(type === "webhook"
        ? { webhookUrl: parseWebhook(fields["webhook"]) }
        : { wakeStream: parseWakeStream(fields["wake_stream"], registry) }),
      leaseTtlMs: optional(fields["lease_ttl_ms"], parseLeaseTtl) ?? DEFAULT_LEASE_TTL_MS,
      ...(description === undefined ? {} : { description }),
    },
    streams,
  };
}

/** Reads `{"streams": […]}`. */
export function parseStreamsBody(body: Buffer, registry: Registry): string[] {
  const streams = parseStreams(parseObject(body)["streams"], registry);
  if (streams.length === 0) throw invalid("streams", "`streams` must not be empty");
  return streams;
}

/** Reads `{"worker": "…"}`. */
export function parseClaim(body: Buffer): string {
  const { worker } = parseObject(body);
  if (isText(worker, MAX_WORKER_LENGTH) && worker !== "") return worker;
  throw invalid("worker", `\`worker\` must be a text of 1 to ${MAX_WORKER_LENGTH} characters`);
}

/** Which wake a request is about, and what of it is done. */
export interface AckRequest {
  readonly wakeId: string;
  readonly generation: number;
  readonly acks: readonly Ack[];
  readonly isDone: boolean;
}

/** Reads the body of a callback, an ack or a release. */
export function parseAck(body: Buffer): AckRequest {
  const { wake_id: wakeId, generation, acks, done } = parseObject(body);
  if (typeof wakeId !== "string") throw invalid("wake_id", "`wake_id` must be a text");
  if (typeof generation !== "number" || !Number.isSafeInteger(generation))
    throw invalid("generation", "`generation` must be a whole number");
  if (done !== undefined && done !== null && typeof done !== "boolean")
    throw invalid("done", "`done` must be true or false");
  return { wakeId, generation, acks: optional(acks, parseAcks) ?? [], isDone: done === true };
}

function parseAcks(value: unknown): Ack[] {
  if (!Array.isArray(value) || value.length > MAX_ACKS)
    throw invalid("acks", `\`acks\` must be an array of at most ${MAX_ACKS}`);
  return value.map((each: unknown, index) => {
    const field = `acks[${index}]`;
    if (!isObject(each)) throw invalid(field, `\`${field}\` must be an object`);
    const { stream, offset: text } = each;
    const path = parsePath(stream, `${field}.stream`);
    const offset = typeof text === "string" ? parseOffset(text) : undefined;
    if (offset === undefined)
      throw new ChanctlError("invalid_offset", `\`${field}.offset\` must be an offset, got ${show(text)}`, {
        status: 400,
        fields: { field: `${field}.offset` },
      });
    return { stream: `/${path}`, offset };
  });
}

function parseStreams(value: unknown, registry: Registry): string[] {
  if (!Array.isArray(value) || value.length > MAX_STREAMS)
    throw invalid("streams", `\`streams\` must be an array of at most ${MAX_STREAMS} paths`);
  return value.map((each: unknown, index) => parseRawPath(each, { field: `streams[${index}]`, registry }));
}

function parseWakeStream(value: unknown, registry: Registry): string {
  if (value === undefined || value === null)
    throw invalid("wake_stream", "`wake_stream` must say where wakes are written");
  return parseRawPath(value, { field: "wake_stream", registry });
}

/** Only raw streams: a channel's has its own ways of being heard, and its messages come by other operations. */
function parseRawPath(
  value: unknown,
  { field, registry }: { readonly field: string; readonly registry: Registry },
): string {
  const path = parsePath(value, field);
  const target = naming(field, () => resolveStream(registry, path));
  if (target.channel === undefined) return target.path;
  throw invalid(field, `\`${field}\` must not be the stream of a channel`);
}

/** A path of the API: relative to the mount, canonical like one in a URL. */
function parsePath(value: unknown, field: string): string {
  if (typeof value !== "string" || value === "") throw invalid(field, `\`${field}\` must be a path`);
  return naming(field, () => canonicalizePath(value));
}

function parsePattern(value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalid("pattern", "`pattern` must be a text");
  if (value.split("/").length > MAX_PATTERN_SEGMENTS)
    throw invalid("pattern", `\`pattern\` must have at most ${MAX_PATTERN_SEGMENTS} segments`);
  return naming("pattern", () => canonicalizePattern(value));
}

function parseWebhook(value: unknown): string {
  const url = isObject(value) ? value["url"] : undefined;
  if (typeof url !== "string" || url === "" || LONE_SURROGATE.test(url))
    throw invalid("webhook.url", "`webhook.url` must be a URL");
  return url;
}

function parseLeaseTtl(value: unknown): number {
  if (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= MIN_LEASE_TTL_MS &&
    value <= MAX_LEASE_TTL_MS
  )
    return value;
  throw invalid(
    "lease_ttl_ms",
    `\`lease_ttl_ms\` must be a whole number from ${MIN_LEASE_TTL_MS} to ${MAX_LEASE_TTL_MS}, got ${show(value)}`,
  );
}

function parseDescription(value: unknown): string {
  if (isText(value, MAX_DESCRIPTION_LENGTH)) return value;
  throw invalid(
    "description",
    `\`description\` must be a text of at most ${MAX_DESCRIPTION_LENGTH} characters`,
  );
}

/** `null` is what an answer has where a field is absent: what was read may be sent back. */
function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : parse(value);
}

function parseObject(body: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new ChanctlError("malformed", "the body must be JSON", { cause, fields: { field: "body" } });
  }
  if (!isObject(value)) throw invalid("body", "the body must be a JSON object");
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === "string" && value.length <= maxLength && !LONE_SURROGATE.test(value);
}

/** Says which field an error of a path is about. */
function naming<T>(field: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    if (!(thrown instanceof ChanctlError)) throw thrown;
    throw new ChanctlError("malformed", `\`${field}\`: ${thrown.message}`, {
      cause: thrown,
      fields: { field },
    });
  }
}

function show(value: unknown): string {
  return `\`${clip(JSON.stringify(value) ?? "nothing")}\``;
}

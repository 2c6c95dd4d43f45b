import { clip } from "../../shared/clip.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Offset } from "../offset.ts";
import { parseMediaType } from "./media-type.ts";
import { parseOffsetToken } from "./read-query.ts";

/** A request's header by its name in lower case. */
export type HeaderLookup = (name: string) => string | undefined;

/** Which append of an idempotent producer a request is (PROTOCOL.md, section 5.2.1). */
export interface ProducerStamp {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/** What a POST says beside its body. */
export interface AppendHeaders {
  readonly mediaType: string | undefined;
  /** The application's own sequence, compared byte by byte. */
  readonly seq: string | undefined;
  readonly producer: ProducerStamp | undefined;
  readonly closes: boolean;
}

/** Where a stream that is made as a fork begins (section 4.2). */
export interface ForkRequest {
  /** The path of the source stream's URL, as it came. */
  readonly source: string;
  /** @default the source's tail */
  readonly offset: Offset | undefined;
  /** Messages (JSON) or bytes to inherit beyond `offset`. */
  readonly subOffset: number;
}

/** What a PUT says beside its body. */
export interface CreateHeaders {
  readonly mediaType: string | undefined;
  /** The stream expires after this long without a read or a write, in s. */
  readonly ttlSecs: number | undefined;
  /** When the stream expires, in ms since 1970. */
  readonly expiresAt: number | undefined;
  readonly closes: boolean;
  readonly fork: ForkRequest | undefined;
}

const MAX_PRODUCER_ID_LENGTH = 256;
const MAX_SEQ_LENGTH = 1_024;

/** @throws {ChanctlError} `malformed` naming the header, what it must be and what came. */
export function parseAppendHeaders(header: HeaderLookup): AppendHeaders {
  const seq = header("stream-seq");
  if (seq !== undefined && seq.length > MAX_SEQ_LENGTH) {
    throw new ChanctlError("malformed", `\`Stream-Seq\` must have at most ${MAX_SEQ_LENGTH} characters`);
  }
  return {
    mediaType: readMediaType(header),
    seq,
    producer: readProducer(header),
    closes: readCloses(header),
  };
}

/** @throws {ChanctlError} `malformed` naming the header, what it must be and what came. */
export function parseCreateHeaders(header: HeaderLookup): CreateHeaders {
  const ttlSecs = readTtl(header("stream-ttl"));
  const expiresAt = readExpiresAt(header("stream-expires-at"));
  if (ttlSecs !== undefined && expiresAt !== undefined) {
    throw new ChanctlError("malformed", "`Stream-TTL` and `Stream-Expires-At` exclude each other; send one");
  }
  return {
    mediaType: readMediaType(header),
    ttlSecs,
    expiresAt,
    closes: readCloses(header),
    fork: readFork(header),
  };
}

/** Only `true` means anything; every other value counts as not sent (section 4.1). */
function readCloses(header: HeaderLookup): boolean {
  return header("stream-closed")?.toLowerCase() === "true";
}

function readMediaType(header: HeaderLookup): string | undefined {
  const text = header("content-type");
  if (text === undefined) return undefined;
  const mediaType = parseMediaType(text);
  if (mediaType !== undefined) return mediaType;
  throw new ChanctlError("malformed", `\`Content-Type\` must be a media type, got \`${clip(text)}\``);
}

function readProducer(header: HeaderLookup): ProducerStamp | undefined {
  const [id, epoch, seq] = ["producer-id", "producer-epoch", "producer-seq"].map(header);
  if (id === undefined && epoch === undefined && seq === undefined) return undefined;
  if (id === undefined || epoch === undefined || seq === undefined) {
    throw new ChanctlError(
      "malformed",
      "`Producer-Id`, `Producer-Epoch` and `Producer-Seq` must be sent together",
    );
  }
  if (id === "" || id.length > MAX_PRODUCER_ID_LENGTH) {
    throw new ChanctlError(
      "malformed",
      `\`Producer-Id\` must have 1 to ${MAX_PRODUCER_ID_LENGTH} characters`,
    );
  }
  return { id, epoch: readCount("Producer-Epoch", epoch), seq: readCount("Producer-Seq", seq) };
}

function readFork(header: HeaderLookup): ForkRequest | undefined {
  const source = header("stream-forked-from");
  const offset = header("stream-fork-offset");
  const subOffset = header("stream-fork-sub-offset");
  if (source === undefined) {
    if (offset === undefined && subOffset === undefined) return undefined;
    const name = offset === undefined ? "Stream-Fork-Sub-Offset" : "Stream-Fork-Offset";
    throw new ChanctlError("malformed", `\`${name}\` needs \`Stream-Forked-From\``);
  }
  const count = subOffset === undefined ? 0 : readCount("Stream-Fork-Sub-Offset", subOffset);
  if (count > 0 && offset === undefined) {
    throw new ChanctlError(
      "malformed",
      "`Stream-Fork-Sub-Offset` needs a `Stream-Fork-Offset` that it counts from",
    );
  }
  return {
    source,
    offset: offset === undefined ? undefined : parseOffsetToken(offset, "Stream-Fork-Offset"),
    subOffset: count,
  };
}

function readTtl(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^(?:0|[1-9]\d{0,9})$/.test(text)) return Number(text);
  throw new ChanctlError(
    "malformed",
    `\`Stream-TTL\` must be whole seconds such as \`3600\`, got \`${clip(text)}\``,
  );
}

/** @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

function readExpiresAt(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, day] = RFC_3339.exec(text) ?? [];
  const time = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new ChanctlError(
    "malformed",
    `\`Stream-Expires-At\` must be a time such as \`2026-01-31T12:00:00Z\`, got \`${clip(text)}\``,
  );
}

/** `Date.parse` takes 30 February for 2 March (RFC 3339, section 5.7, has no such day). */
function isDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** A count that JavaScript can keep (section 5.2.1). */
function readCount(name: string, text: string): number {
  const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new ChanctlError(
    "malformed",
    `\`${name}\` must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got \`${clip(text)}\``,
  );
}

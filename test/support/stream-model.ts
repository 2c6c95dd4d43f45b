import { encodeOffset, isOrigin, ORIGIN } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import type { Result } from "#src/broker/operation.ts";
import type { Body, CreateOperation, DeleteOperation, WriteOperation } from "#src/broker/stream-operation.ts";

/** A stream as somebody who has read the protocol and nothing else would keep it: a fork is a copy. */
export interface ModelStream {
  readonly path: string;
  readonly incarnation: number;
  readonly parent: ModelStream | undefined;
  readonly mediaType: string;
  readonly isJson: boolean;
  /** Messages, or bytes. */
  readonly units: (string | number)[];
  /** Whose each place is: the incarnation of its offset. One more than there are units. */
  readonly owners: number[];
  /** Where each append of bytes ends. */
  readonly rowEnds: number[];
  readonly producers: Map<string, { epoch: number; seq: number }>;
  readonly ttlMs: number | null;
  readonly expiresAt: number | null;
  forkedAt: number;
  touchedAt: number;
  isClosed: boolean;
  isDeleted: boolean;
  lastSeq: string | undefined;
  closedBy: string | undefined;
}

/** What an operation should come to, as far as callers see it. */
export type Expected = string;

/** All streams, in memory, and what each operation should do with them (PROTOCOL.md, sections 4.2 and 5). */
export class StreamModel {
  readonly #byPath = new Map<string, ModelStream>();
  #nextIncarnation = 1;

  get streams(): ModelStream[] {
    return [...this.#byPath.values()];
  }

  at(path: string): ModelStream | undefined {
    return this.#byPath.get(path);
  }

  create({ path, time, mediaType, closes, bodies, fork, ttlMs, expiresAt }: CreateOperation): Expected {
    const source = fork && this.#byPath.get(fork.source);
    const existing = this.#byPath.get(path);
    if (existing !== undefined) {
      const isSame =
        !existing.isDeleted &&
        existing.parent?.path === fork?.source &&
        existing.isClosed === closes &&
        existing.mediaType === (mediaType ?? existing.parent?.mediaType ?? BYTES) &&
        sameLifetime(existing, { ttlMs, expiresAt, source: existing.parent }) &&
        (fork?.offset === undefined || this.#isForkedAt(existing, { ...fork, offset: fork.offset }));
      return isSame ? created(existing, { isNew: false }) : "exists";
    }
    if (fork !== undefined && source === undefined) return "source-unknown";
    if (source?.isDeleted === true) return "source-soft-deleted";
    if (source !== undefined && mediaType !== undefined && mediaType !== source.mediaType)
      return "media-type";
    const forkedAt = source === undefined || fork === undefined ? 0 : forkPosition(source, fork);
    if (typeof forkedAt === "string") return forkedAt;
    const incarnation = this.#nextIncarnation++;
    const hasOwn = ttlMs !== undefined || expiresAt !== undefined;
    const type = mediaType ?? source?.mediaType ?? BYTES;
    const stream: ModelStream = {
      path,
      incarnation,
      parent: source,
      mediaType: type,
      isJson: type === JSON_TYPE,
      units: source?.units.slice(0, forkedAt) ?? [],
      owners: source?.owners.slice(0, forkedAt + 1) ?? [incarnation],
      rowEnds: source === undefined ? [] : rowsUpTo(source, forkedAt),
      producers: new Map(),
      ttlMs: ttlMs ?? (hasOwn ? null : (source?.ttlMs ?? null)),
      expiresAt: expiresAt ?? (hasOwn ? null : (source?.expiresAt ?? null)),
      forkedAt,
      touchedAt: time,
      isClosed: closes,
      isDeleted: false,
      lastSeq: undefined,
      closedBy: undefined,
    };
    this.#byPath.set(path, stream);
    add(stream, bodies);
    return created(stream, { isNew: true });
  }

  write({ path, time, mediaType, bodies, producer, seq, closes }: WriteOperation): Expected {
    const stream = this.#byPath.get(path);
    if (stream === undefined) return "unknown";
    if (stream.isDeleted) return "soft-deleted";
    const stamp = producer && JSON.stringify([producer.id, producer.epoch, producer.seq]);
    const known = producer && stream.producers.get(producer.id);
    const isStale = known !== undefined && producer !== undefined && producer.epoch < known.epoch;
    if (stream.isClosed && !isStale) {
      const isRepeat = stamp === undefined ? closes && bodies.length === 0 : stream.closedBy === stamp;
      return isRepeat ? written(stream, { isRepeat: true }) : "closed";
    }
    if (producer !== undefined) {
      if (isStale) return "stale-epoch";
      const expected = known === undefined ? 0 : producer.epoch > known.epoch ? 0 : known.seq + 1;
      if (producer.seq < expected) return written(stream, { isRepeat: true });
      if (producer.seq > expected)
        return known !== undefined && producer.epoch > known.epoch ? "epoch-start" : "seq-gap";
    }
    if (bodies.length > 0 && mediaType !== stream.mediaType) return "media-type";
    if (seq !== undefined && stream.lastSeq !== undefined && seq <= stream.lastSeq) return "seq";
    add(stream, bodies);
    stream.touchedAt = Math.max(stream.touchedAt, time);
    stream.lastSeq = seq ?? stream.lastSeq;
    if (producer !== undefined)
      stream.producers.set(producer.id, { epoch: producer.epoch, seq: producer.seq });
    if (closes) [stream.isClosed, stream.closedBy] = [true, stamp];
    return written(stream, { isRepeat: false });
  }

  delete({ path, incarnation, touchedAt }: DeleteOperation): Expected {
    const stream = this.#byPath.get(path);
    if (incarnation !== undefined && stream?.incarnation !== incarnation) return "unchanged";
    if (stream === undefined) return "unknown";
    if (touchedAt !== undefined && stream.touchedAt > touchedAt) return "unchanged";
    if (stream.isDeleted) return "soft-deleted";
    stream.isDeleted = true;
    this.#forgetUnneeded();
    return `deleted ${stream.incarnation}`;
  }

  /** What is deleted stays for as long as a fork reads from it, and no longer. */
  #forgetUnneeded(): void {
    for (let isDone = false; !isDone;) {
      isDone = true;
      for (const stream of this.#byPath.values()) {
        if (!stream.isDeleted || this.streams.some(({ parent }) => parent === stream)) continue;
        this.#byPath.delete(stream.path);
        isDone = false;
      }
    }
  }

  #isForkedAt(existing: ModelStream, { offset, subOffset }: { offset: Offset; subOffset: number }): boolean {
    const anchor = existing.parent && placeOf(existing.parent, offset);
    return anchor !== undefined && anchor + subOffset === existing.forkedAt;
  }
}

const JSON_TYPE = "application/json";
const BYTES = "application/octet-stream";

/** The place of an offset; `undefined` if it was never given out for this stream. */
export function placeOf({ owners }: ModelStream, offset: Offset): number | undefined {
  if (isOrigin(offset)) return 0;
  return owners[offset.position] === offset.incarnation ? offset.position : undefined;
}

/** The offset of a place. */
export function offsetOf({ owners }: ModelStream, position: number): Offset {
  return { incarnation: owners[position] ?? ORIGIN.incarnation, position };
}

function forkPosition(
  source: ModelStream,
  { offset, subOffset }: { offset?: Offset; subOffset: number },
): number | string {
  const tail = source.units.length;
  const anchor = offset === undefined ? tail : placeOf(source, offset);
  if (anchor === undefined) return "fork-offset";
  const end = source.isJson ? tail : (source.rowEnds.find((row) => row > anchor) ?? anchor);
  return anchor + subOffset <= end ? anchor + subOffset : "fork-sub-offset";
}

function rowsUpTo({ rowEnds }: ModelStream, position: number): number[] {
  const rows = rowEnds.filter((end) => end < position);
  return position === 0 ? rows : [...rows, position];
}

function sameLifetime(
  { ttlMs, expiresAt }: ModelStream,
  asked: { ttlMs: number | undefined; expiresAt: number | undefined; source: ModelStream | undefined },
): boolean {
  const hasOwn = asked.ttlMs !== undefined || asked.expiresAt !== undefined;
  const inherited = hasOwn ? undefined : asked.source;
  return (
    ttlMs === (asked.ttlMs ?? inherited?.ttlMs ?? null) &&
    expiresAt === (asked.expiresAt ?? inherited?.expiresAt ?? null)
  );
}

function add(stream: ModelStream, bodies: readonly Body[]): void {
  for (const body of bodies) {
    const units = stream.isJson ? [String(body)] : [...Buffer.from(body as Uint8Array)];
    for (const unit of units) {
      stream.units.push(unit);
      stream.owners.push(stream.incarnation);
    }
    stream.rowEnds.push(stream.units.length);
  }
}

function created(stream: ModelStream, { isNew }: { isNew: boolean }): Expected {
  return `created ${isNew} ${stream.incarnation} ${tailOf(stream)} ${stream.isClosed}`;
}

function written(stream: ModelStream, { isRepeat }: { isRepeat: boolean }): Expected {
  return `written ${isRepeat} ${tailOf(stream)} ${stream.isClosed}`;
}

function tailOf(stream: ModelStream): string {
  return encodeOffset(offsetOf(stream, stream.units.length));
}

/** A result of the store in the words of the model. */
export function describeResult(result: Result): Expected {
  const { kind } = result;
  if (kind === "refused") return result.reason;
  if (kind === "deleted") return `deleted ${result.incarnation}`;
  if (kind === "written") return `written ${result.isRepeat} ${encodeOffset(result.tail)} ${result.isClosed}`;
  if (kind !== "created") return kind;
  const { isNew, incarnation, tail, isClosed } = result;
  return `created ${isNew} ${incarnation} ${encodeOffset(tail)} ${isClosed}`;
}

import { DEFAULT_MEDIA_TYPE, JSON_MEDIA_TYPE } from "../protocol/durable-streams/media-type.ts";
import { positionIn, tailOffsetOf } from "./stream-chain.ts";
import type { CreateOperation, Created, Fork, StreamRefused, StreamRefusal } from "./stream-operation.ts";
import type { StreamRecord, StreamTable } from "./stream-table.ts";
import type { SubscriptionLinks } from "./subscription-links.ts";

/** Forks of forks: whoever reads the last walks through all of them (CWE-400). */
const MAX_FORK_DEPTH = 100;

interface CreateTables {
  readonly streams: StreamTable;
  readonly links: SubscriptionLinks;
  readonly nextIncarnation: () => number;
}

/** Where a new stream begins, and what it takes over from the stream that it branches off. */
interface Base {
  readonly mediaType: string;
  readonly ttlMs: number | null;
  readonly expiresAt: number | null;
  readonly parent: number | null;
  readonly forkPosition: number;
}

/**
 * Makes the part of `apply` that creates streams.
 *
 * @see PROTOCOL.md, sections 4.2 and 5.1
 */
export function createCreate({
  streams,
  links,
  nextIncarnation,
}: CreateTables): (operation: CreateOperation) => Created | StreamRefused {
  return function create(operation) {
    const existing = streams.byPath(operation.path);
    if (existing !== undefined) return confirm(existing, operation);
    const base = operation.fork === undefined ? baseOf(operation) : branch(operation, operation.fork);
    if ("reason" in base) return { kind: "refused", ...base };
    const incarnation = nextIncarnation();
    const { path, time, closes, bodies } = operation;
    streams.insert({ path, incarnation, ...base, tail: base.forkPosition, lastTime: time });
    const stream = present(path);
    links.noteCreated(stream);
    if (bodies.length > 0) {
      streams.append(stream, bodies, time);
      links.noteAppended(path);
    }
    if (closes) streams.update({ ...stream, isClosed: 1 });
    return created(present(path), { isNew: true });
  };

  function present(path: string): StreamRecord {
    const stream = streams.byPath(path);
    if (stream === undefined) throw new Error(`the stream ${path} is not there after its creation`);
    return stream;
  }

  function created(stream: StreamRecord, { isNew }: { isNew: boolean }): Created {
    const { incarnation, mediaType, isClosed, ttlMs, expiresAt } = stream;
    return {
      kind: "created",
      isNew,
      incarnation,
      mediaType,
      tail: tailOffsetOf(stream, streams.chainOf),
      isClosed: isClosed === 1,
      ttlMs,
      expiresAt,
    };
  }

  /** A repeat of what was asked for before is a success; what is there otherwise is not touched. */
  function confirm(existing: StreamRecord, operation: CreateOperation): Created | StreamRefused {
    if (existing.isDeleted === 1)
      return { kind: "refused", reason: "exists", what: "it is deleted, but forks read from it" };
    const what = differenceOf(existing, operation);
    return what === undefined
      ? created(existing, { isNew: false })
      : { kind: "refused", reason: "exists", what };
  }

  function differenceOf(existing: StreamRecord, operation: CreateOperation): string | undefined {
    const { fork, closes } = operation;
    const parent = existing.parent === null ? undefined : streams.byIncarnation(existing.parent);
    if (fork?.source !== parent?.path) return "what it was forked from";
    if (fork?.offset !== undefined && parent !== undefined) {
      const anchor = positionIn(streams.chainOf(parent), fork.offset);
      if (anchor === undefined || anchor + fork.subOffset !== existing.forkPosition)
        return "where it was forked";
    }
    if ((operation.mediaType ?? parent?.mediaType ?? DEFAULT_MEDIA_TYPE) !== existing.mediaType)
      return "its content type";
    const { ttlMs, expiresAt } = lifetimeOf(operation, parent);
    if (ttlMs !== existing.ttlMs || expiresAt !== existing.expiresAt) return "its TTL or expiry";
    return closes === (existing.isClosed === 1) ? undefined : "whether it is closed";
  }

  function branch(operation: CreateOperation, fork: Fork): Base | StreamRefusal {
    const source = streams.byPath(fork.source);
    if (source === undefined) return { reason: "source-unknown" };
    if (source.isDeleted === 1) return { reason: "source-soft-deleted" };
    const { mediaType } = source;
    if (operation.mediaType !== undefined && operation.mediaType !== mediaType)
      return { reason: "media-type", mediaType };
    // The source was another stream when the bodies were read.
    const { bodies, bodyType = mediaType } = operation;
    if (bodies.length > 0 && bodyType !== mediaType) return { reason: "media-type", mediaType };
    const forkPosition = forkPositionOf(source, fork);
    if (typeof forkPosition !== "number") return forkPosition;
    return { mediaType, ...lifetimeOf(operation, source), parent: source.incarnation, forkPosition };
  }

  function forkPositionOf(source: StreamRecord, { offset, subOffset }: Fork): number | StreamRefusal {
    const chain = streams.chainOf(source);
    if (chain.length > MAX_FORK_DEPTH) return { reason: "fork-depth", max: MAX_FORK_DEPTH };
    const anchor = offset === undefined ? source.tail : positionIn(chain, offset);
    if (anchor === undefined) return { reason: "fork-offset" };
    if (subOffset === 0) return anchor;
    const position = anchor + subOffset;
    if (position > source.tail) return { reason: "fork-sub-offset" };
    if (source.mediaType === JSON_MEDIA_TYPE) return position;
    // A sub-offset of bytes reaches to the end of the append that it begins in, and no further.
    // Where the source itself branches off inside of it, that is its end.
    const segment = chain.find(({ to }) => anchor < to);
    const end = segment && streams.endOfRowAfter(segment, anchor);
    const isInside = segment !== undefined && end !== undefined && position <= Math.min(end, segment.to);
    return isInside ? position : { reason: "fork-sub-offset" };
  }
}

function baseOf(operation: CreateOperation): Base {
  const mediaType = operation.mediaType ?? DEFAULT_MEDIA_TYPE;
  return { mediaType, ...lifetimeOf(operation, undefined), parent: null, forkPosition: 0 };
}

/** A fork that asks for no lifetime of its own has the one of its source (section 4.2, the table). */
function lifetimeOf(
  { ttlMs, expiresAt }: CreateOperation,
  source: StreamRecord | undefined,
): Pick<Base, "ttlMs" | "expiresAt"> {
  if (ttlMs !== undefined || expiresAt !== undefined)
    return { ttlMs: ttlMs ?? null, expiresAt: expiresAt ?? null };
  return { ttlMs: source?.ttlMs ?? null, expiresAt: source?.expiresAt ?? null };
}

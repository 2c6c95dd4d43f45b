import { judgeProducer, refusalOf } from "./judge-producer.ts";
import { tailOffsetOf } from "./stream-chain.ts";
import type {
  ProducerStamp,
  StreamRefusal,
  StreamRefused,
  WriteOperation,
  Written,
} from "./stream-operation.ts";
import type { StreamRecord, StreamTable } from "./stream-table.ts";
import type { SubscriptionLinks } from "./subscription-links.ts";

interface WriteTables {
  readonly streams: StreamTable;
  readonly links: SubscriptionLinks;
}

/**
 * Makes the part of `apply` that appends to streams of Durable Streams and closes them.
 *
 * The order of the checks is the protocol's: a producer that was taken over learns it before anything else; then a
 * closed stream refuses all but a repeat of what closed it, other repeats too; then what a producer has sent before is
 * a success, whatever else has changed; then a gap in its sequence, content type, `Stream-Seq`.
 *
 * @see PROTOCOL.md, sections 5.2 and 5.2.1
 */
export function createWrite({
  streams,
  links,
}: WriteTables): (operation: WriteOperation) => Written | StreamRefused {
  return function write(operation) {
    const stream = streams.byPath(operation.path);
    if (stream === undefined) return { kind: "refused", reason: "unknown" };
    if (stream.isDeleted === 1) return { kind: "refused", reason: "soft-deleted" };
    const verdict = judge(stream, operation);
    if (verdict === "repeat") return repeatOf(stream, operation.producer);
    if (verdict !== undefined) return { kind: "refused", ...verdict };
    return store(stream, operation);
  };

  function store(stream: StreamRecord, operation: WriteOperation): Written {
    const { producer, seq, closes, bodies } = operation;
    const { incarnation } = stream;
    const time = Math.max(operation.time, stream.lastTime);
    const tail = streams.append(stream, bodies, time);
    if (bodies.length > 0) links.noteAppended(operation.path);
    if (producer !== undefined) streams.setProducer(incarnation, producer, time);
    if (closes || seq !== undefined) {
      streams.update({
        id: stream.id,
        lastSeq: seq ?? stream.lastSeq,
        isClosed: closes ? 1 : stream.isClosed,
        closedBy: closes ? stampText(producer) : stream.closedBy,
      });
    }
    return {
      kind: "written",
      incarnation,
      first: stream.tail,
      tail: tailOffsetOf({ ...stream, tail }, streams.chainOf),
      isClosed: closes || stream.isClosed === 1,
      isRepeat: false,
      ...(producer === undefined ? {} : { producer: { epoch: producer.epoch, seq: producer.seq } }),
    };
  }

  function repeatOf(stream: StreamRecord, producer: ProducerStamp | undefined): Written {
    const known = producer && streams.producer(stream.incarnation, producer.id);
    return {
      kind: "written",
      incarnation: stream.incarnation,
      first: stream.tail,
      tail: tailOf(stream),
      isClosed: stream.isClosed === 1,
      isRepeat: true,
      ...(known === undefined ? {} : { producer: { epoch: known.epoch, seq: known.seq } }),
    };
  }

  function judge(
    stream: StreamRecord,
    { producer, seq, closes, bodies, mediaType }: WriteOperation,
  ): StreamRefusal | "repeat" | undefined {
    const isClosed = stream.isClosed === 1;
    if (producer !== undefined) {
      const verdict = judgeProducer(streams.producer(stream.incarnation, producer.id), producer);
      const isClosing = stream.closedBy === stampText(producer);
      if (isClosed && verdict.kind !== "stale") return isClosing ? "repeat" : closed(stream);
      if (verdict.kind === "duplicate") return "repeat";
      const refusal = refusalOf(verdict);
      if (refusal !== undefined) return refusal;
    } else if (isClosed) return closes && bodies.length === 0 ? "repeat" : closed(stream);
    if (bodies.length > 0 && mediaType !== stream.mediaType) {
      return { reason: "media-type", mediaType: stream.mediaType };
    }
    const { lastSeq } = stream;
    return seq !== undefined && lastSeq !== null && seq <= lastSeq ? { reason: "seq", lastSeq } : undefined;
  }

  function closed(stream: StreamRecord): StreamRefusal {
    return { reason: "closed", tail: tailOf(stream) };
  }

  function tailOf(stream: StreamRecord) {
    return tailOffsetOf(stream, streams.chainOf);
  }
}

function stampText(producer: ProducerStamp | undefined): string | null {
  return producer === undefined ? null : JSON.stringify([producer.id, producer.epoch, producer.seq]);
}

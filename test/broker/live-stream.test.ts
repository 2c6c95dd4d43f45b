import { describe, expect, it } from "vitest";
import type { Encoding } from "#src/broker/encoding.ts";
import { bytesOf } from "#src/broker/entry.ts";
import type { Entry } from "#src/broker/entry.ts";
import { LiveStream } from "#src/broker/live-stream.ts";
import type { LiveReader, LiveStart } from "#src/broker/live-stream.ts";
import type { CommittedEntry } from "#src/broker/live-window.ts";
import type { Offset } from "#src/protocol/offset.ts";
import { incompleteTailLength } from "#src/protocol/durable-streams/utf8-boundary.ts";

const INCARNATION = 5;

/** Text as it is, but for a character whose end has not come: as `live=sse` sends it. */
const TEXT: Encoding = {
  name: "text",
  encodeBatch: ({ entries, isEnd }) => {
    const bytes = Buffer.concat(entries.map(bytesOf));
    const held = isEnd ? 0 : incompleteTailLength(bytes);
    return {
      bytes: bytes.subarray(0, bytes.length - held),
      position: (entries.at(-1)?.position ?? 0) - held,
    };
  },
};

class Reading implements LiveReader {
  readonly encoding = TEXT;
  readonly notBefore = 0;
  position: Offset;
  text = "";
  detachments = 0;

  constructor(position: number, incarnation = INCARNATION) {
    this.position = { incarnation, position };
  }

  deliver(bytes: Buffer, position: Offset): boolean {
    this.text += bytes.toString();
    this.position = position;
    return true;
  }

  detached(): void {
    this.detachments += 1;
  }
}

function open(start: Partial<LiveStart> = {}): LiveStream {
  return new LiveStream("/text", {
    incarnation: INCARNATION,
    tail: 0,
    inherited: [],
    isClosed: false,
    maxBytes: 1_000_000,
    onGrown: () => {},
    ...start,
  });
}

/** Rows of bytes from a place on. */
function rows(start: number, ...bodies: readonly (string | Uint8Array)[]): CommittedEntry[] {
  let position = start;
  return bodies.map((body) => {
    const from = position;
    position += Buffer.from(body as string).length;
    return { start: from, position, time: 1, body };
  });
}

const HAN = Buffer.from("漢");

describe("the live end of a stream of bytes", () => {
  it("gives a reader that stands inside a row what comes after its place", () => {
    const stream = open();
    stream.append(INCARNATION, rows(0, "abcdef", "ghi"));
    for (const [from, text] of [
      [0, "abcdefghi"],
      [4, "efghi"],
      [6, "ghi"],
      [8, "i"],
      [9, ""],
    ] as const) {
      const reading = new Reading(from);
      expect(stream.attach(reading)).toBe(true);
      expect(reading.text, String(from)).toBe(text);
    }
  });

  it("holds the beginning of a character back until its end has come, over any number of rows", () => {
    const stream = open();
    const reading = new Reading(0);
    stream.attach(reading);
    for (const [index, byte] of [...Buffer.from("a漢"), 0x62].entries()) {
      stream.append(INCARNATION, rows(index, Buffer.of(byte)));
      stream.flush();
      expect(reading.text).toBe(["a", "a", "a", "a漢", "a漢b"][index]);
    }
    expect(reading.position.position).toBe(5);
  });

  it("sends what is left of a character when the stream is closed, then lets everyone go", () => {
    const stream = open();
    const reading = new Reading(0);
    stream.attach(reading);
    stream.append(INCARNATION, rows(0, HAN.subarray(0, 2)));
    stream.flush();
    expect(reading.text).toBe("");
    stream.end("closed");
    expect([reading.text, reading.detachments]).toEqual(["\uFFFD", 1]);
    expect(stream.endingAt(reading.position)).toBe("closed");
  });

  it("gives the rest to a reader that comes after the end, and does not keep it: nobody would tell it", () => {
    const stream = open();
    stream.append(INCARNATION, rows(0, "abc"));
    stream.end("closed");
    const reading = new Reading(1);
    expect(stream.endingAt(reading.position)).toBeUndefined();
    expect([stream.attach(reading), stream.liveCount, reading.text]).toEqual([false, 0, "bc"]);
    expect(stream.endingAt(reading.position)).toBe("closed");
  });

  it("keeps what live readers wait for the rest of, however small the window must be", () => {
    const stream = open();
    const reading = new Reading(0);
    stream.attach(reading);
    stream.append(INCARNATION, rows(0, Buffer.concat([Buffer.from("x".repeat(100)), HAN.subarray(0, 2)])));
    stream.flush();
    stream.shrink(0);
    expect(reading.detachments).toBe(0);
    expect(stream.bytes).toBe(302);
    stream.append(INCARNATION, rows(102, HAN.subarray(2)));
    stream.flush();
    expect(reading.text).toBe(`${"x".repeat(100)}漢`);
    // A reader that lacks what was forgotten reads pages.
    expect(stream.attach(new Reading(50))).toBe(false);
  });

  it("keeps it, too, where it came in several rows", () => {
    const stream = open();
    const reading = new Reading(0);
    stream.attach(reading);
    stream.append(INCARNATION, rows(0, "abc", HAN.subarray(0, 1), HAN.subarray(1, 2)));
    stream.flush();
    stream.shrink(0);
    // Two rows of one byte each.
    expect([reading.detachments, stream.bytes]).toEqual([0, 602]);
    stream.append(INCARNATION, rows(5, HAN.subarray(2)));
    stream.flush();
    expect(reading.text).toBe("abc漢");
  });

  it("takes none of a batch that the window could not hold, and looks no further into it", () => {
    const stream = open({ maxBytes: 10_000 });
    const reading = new Reading(0);
    stream.attach(reading);
    let looked = 0;
    const many = function* (): Generator<CommittedEntry> {
      for (const row of rows(0, ...Array.from({ length: 1_000 }, () => "0"))) {
        looked += 1;
        yield row;
      }
    };
    stream.append(INCARNATION, many());
    expect([stream.bytes, looked < 40]).toEqual([0, true]);
    stream.skipTo({ incarnation: INCARNATION, position: 1_000 });
    // It reads them as pages, and comes back.
    expect([reading.detachments, reading.text, stream.attach(new Reading(0))]).toEqual([1, "", false]);
    expect(stream.attach(new Reading(1_000))).toBe(true);
  });

  it("keeps its bound while many small batches come between two flushes, and its readers live", () => {
    const stream = open({ maxBytes: 10_000 });
    const reading = new Reading(0);
    stream.attach(reading);
    for (let position = 0; position < 1_000; position += 1) {
      stream.append(INCARNATION, rows(position, "0"));
      expect(stream.bytes).toBeLessThanOrEqual(2 * 10_000);
    }
    stream.flush();
    expect([reading.detachments, reading.text]).toEqual([0, "0".repeat(1_000)]);
  });

  it("takes back what a page ended with, which may have come in several rows", () => {
    // It was opened when all of this was there: its window is empty.
    const page: readonly Entry[] = rows(0, "ab", HAN.subarray(0, 1), HAN.subarray(1, 2));
    const stream = open({ tail: 4 });
    const reading = new Reading(2);
    expect(stream.attach(reading)).toBe(false);
    stream.hold(page, 2);
    expect(stream.attach(reading)).toBe(true);
    expect(stream.bytes).toBe(302);
    stream.append(INCARNATION, rows(4, HAN.subarray(2)));
    stream.flush();
    expect(reading.text).toBe("漢");
  });

  it("takes back what lies before a window that begins in the middle of a character", () => {
    const stream = open({ tail: 3 });
    stream.append(INCARNATION, rows(3, HAN.subarray(1, 2)));
    const reading = new Reading(2);
    expect(stream.attach(reading)).toBe(false);
    stream.hold(rows(0, "ab", HAN.subarray(0, 1), HAN.subarray(1, 2)), 2);
    expect(stream.attach(reading)).toBe(true);
    stream.append(INCARNATION, rows(4, HAN.subarray(2)));
    stream.flush();
    expect(reading.text).toBe("漢");
  });

  it("takes nothing back from a page that ended before the window begins: there is more to read", () => {
    const stream = open({ tail: 9 });
    stream.hold(rows(0, "ab", HAN.subarray(0, 2)), 2);
    expect(stream.bytes).toBe(0);
    expect(stream.attach(new Reading(2))).toBe(false);
  });

  it("counts what it holds, and tells when that has grown", () => {
    let grown = 0;
    const stream = open({ tail: 4, onGrown: () => (grown += 1) });
    stream.hold(rows(0, "ab", HAN.subarray(0, 2)), 2);
    expect([stream.bytes, grown]).toEqual([302, 1]);
  });

  it("takes readers of a fork over from what it inherits, across the place where it branches off", () => {
    const inherited = [{ incarnation: 2, from: 0, to: 4 }];
    const stream = open({ incarnation: INCARNATION, tail: 4, inherited });
    const reading = new Reading(4, 2);
    expect(stream.attach(reading)).toBe(true);
    stream.append(INCARNATION, rows(4, "own"));
    stream.flush();
    expect(reading.text).toBe("own");
    expect(reading.position).toEqual({ incarnation: INCARNATION, position: 7 });
    // One further back in what is inherited reads pages.
    expect(stream.attach(new Reading(3, 2))).toBe(false);
  });

  it("gives offsets of what a fork inherits the incarnation of its source", () => {
    const inherited = [{ incarnation: 2, from: 0, to: 4 }];
    const stream = open({ incarnation: INCARNATION, tail: 4, inherited });
    stream.hold(rows(0, "a", HAN), 1);
    const reading = new Reading(1, 2);
    expect(stream.attach(reading)).toBe(true);
    expect(reading.position).toEqual({ incarnation: 2, position: 4 });
  });

  it("ends every reader of a stream that is deleted, wherever it stands", () => {
    const stream = open();
    const reading = new Reading(0);
    stream.attach(reading);
    stream.end("deleted");
    expect(reading.detachments).toBe(1);
    for (const position of [0, 5])
      expect(stream.endingAt({ incarnation: INCARNATION, position })).toBe("deleted");
  });

  it("lets who stands at a fork's tail wait, though what is inherited is of another life (section 5.7)", async () => {
    const stream = open({ tail: 4, inherited: [{ incarnation: 2, from: 0, to: 4 }] });
    const leaving = new AbortController();
    let isOver = false;
    const waiting = stream
      .waitBeyond({ incarnation: 2, position: 4 }, leaving.signal)
      .then(() => (isOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    leaving.abort();
    await waiting;
  });

  it("wakes who waits for more than a place: with more, with an end, and when they leave", async () => {
    for (const wake of [
      (stream: LiveStream) => {
        stream.append(INCARNATION, rows(0, "a"));
        stream.flush();
      },
      (stream: LiveStream) => stream.end("closed"),
      (stream: LiveStream) => stream.end("deleted"),
      (_: LiveStream, leaving: AbortController) => leaving.abort(),
    ]) {
      const stream = open();
      const leaving = new AbortController();
      const waiting = stream.waitBeyond({ incarnation: INCARNATION, position: 0 }, leaving.signal);
      wake(stream, leaving);
      await waiting;
    }
  });
});

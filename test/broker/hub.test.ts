import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { Hub } from "#src/broker/hub.ts";
import type { HubOptions } from "#src/broker/hub.ts";
import type { LiveReader } from "#src/broker/live-stream.ts";
import type { Follower } from "#src/broker/log.ts";
import { Pages } from "#src/broker/pages.ts";
import type { StreamInfo } from "#src/broker/stream-info.ts";
import { Subscriber } from "#src/broker/subscriber.ts";
import { SSE_ENCODING, WEBSOCKET_ENCODING } from "#src/broker/encoding.ts";
import type { Encoding } from "#src/broker/encoding.ts";
import type { Offset } from "#src/protocol/offset.ts";
import { CollectingSink } from "../support/collecting-sink.ts";
import { PATH, SimulatedLog } from "../support/handover-log.ts";

/** A hub over one stream in memory, whose announcements the test sends. */
function openHub(options: Partial<HubOptions> = {}) {
  const log = new SimulatedLog({ beforeRead: () => {}, pageLength: () => 100 });
  const hub = new Hub({ log, reader: log, ...options });
  return { log, hub };
}

/** A reader at a place that notes what it is given. */
class Reading implements LiveReader {
  readonly deliveries: { bytes: Buffer; position: number }[] = [];
  readonly encoding: Encoding;
  position: Offset;
  readonly notBefore: number;
  detachments = 0;

  constructor(
    position: Offset,
    { encoding = WEBSOCKET_ENCODING, notBefore = 0 }: { encoding?: Encoding; notBefore?: number } = {},
  ) {
    this.position = position;
    this.encoding = encoding;
    this.notBefore = notBefore;
  }

  deliver(bytes: Buffer, position: Offset): boolean {
    this.deliveries.push({ bytes, position: position.position });
    this.position = position;
    return true;
  }

  detached(): void {
    this.detachments += 1;
  }
}

describe("a stream of which nobody was told that it is over", () => {
  const row = (incarnation: number, more: Partial<StreamInfo> = {}): StreamInfo => ({
    id: 1,
    path: "/raw",
    incarnation,
    mediaType: "text/plain",
    tail: 0,
    oldest: 0,
    bytes: 0,
    hasEarlierLife: false,
    replayWindowMs: 0,
    inactivityTtlMs: 0,
    maxMessages: 0,
    maxBytes: 0,
    isClosed: false,
    isDeleted: false,
    ttlMs: null,
    touchedAt: 0,
    expiresAt: null,
    parent: null,
    forkPosition: 0,
    ...more,
  });

  it.each([
    ["is there no longer", undefined],
    ["is kept for its forks only", row(3, { isDeleted: true })],
    ["has another one at its path", row(4)],
  ])("ends its readers when the store is looked at again, and it %s", (_, found) => {
    let stored: StreamInfo | undefined = row(3);
    const followers = new Set<Follower>();
    const hub = new Hub({
      log: { follow: (follower) => (followers.add(follower), () => followers.delete(follower)) },
      reader: { stream: () => stored, chainOf: () => [] },
    });
    const stream = hub.enter("/raw");
    const reading = new Reading({ incarnation: 3, position: 0 });
    stream.attach(reading);
    stored = found;
    for (const follower of followers) follower.onUncertain?.();
    expect(reading.detachments).toBe(1);
    expect(stream.endingAt(reading.position)).toBe("deleted");
    expect(hub.isFollowed("/raw")).toBe(false);
    // Whoever comes now follows what is there now.
    expect(hub.enter("/raw")).not.toBe(stream);
    hub.leave(stream);
    expect(hub.isFollowed("/raw")).toBe(true);
  });
});

describe("Hub", () => {
  it("brings what was announced in one turn as one write, with the same bytes for all", async () => {
    const { log, hub } = openHub();
    const stream = hub.enter(PATH);
    const readings = [
      new Reading(log.tail),
      new Reading(log.tail),
      new Reading(log.tail, { encoding: SSE_ENCODING }),
    ];
    for (const reading of readings) expect(stream.attach(reading)).toBe(true);
    for (const count of [1, 2, 1]) {
      log.commit(count);
      log.announce(1);
    }
    expect(readings[0]?.deliveries).toEqual([]);
    await nextTurn();
    expect(readings.map(({ deliveries }) => deliveries.map(({ position }) => position))).toEqual([
      [4],
      [4],
      [4],
    ]);
    expect(readings[0]?.deliveries[0]?.bytes).toBe(readings[1]?.deliveries[0]?.bytes);
  });

  it("hands over who has read to the window's floor, and nobody before it", () => {
    const { log, hub } = openHub();
    log.commit(3);
    const stream = hub.enter(PATH);
    log.commit(2);
    log.announce(2);
    const at = (position: number): Reading => new Reading({ incarnation: 1, position });
    const [before, atFloor, atTail, ahead] = [at(2), at(3), at(5), at(6)];
    expect([before, atFloor, atTail, ahead].map((reading) => stream.attach(reading))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect([before, atFloor, atTail, ahead].map(({ deliveries }) => deliveries.length)).toEqual([0, 1, 0, 0]);
  });

  it("does not hand over who may not replay what it lacks, and goes on with who is live", async () => {
    const { log, hub } = openHub();
    const stream = hub.enter(PATH);
    const live = new Reading(log.tail, { notBefore: 1 });
    expect(stream.attach(live)).toBe(true);
    log.commit(2); // at the time 0
    log.announce(1);
    const late = (position: number): Reading => new Reading({ incarnation: 1, position }, { notBefore: 1 });
    const [lacksBoth, lacksOne, lacksNothing] = [late(0), late(1), late(2)];
    expect([lacksBoth, lacksOne, lacksNothing].map((reading) => stream.attach(reading))).toEqual([
      false,
      false,
      true,
    ]);
    await nextTurn();
    expect([lacksBoth, lacksOne, lacksNothing, live].map(({ deliveries }) => deliveries.length)).toEqual([
      0, 0, 0, 1,
    ]);
  });

  it("keeps no more than its bound of a stream, every encoding counted", async () => {
    const { log, hub } = openHub({ maxWindowBytes: 8_000 });
    const stream = hub.enter(PATH);
    for (const encoding of [WEBSOCKET_ENCODING, SSE_ENCODING])
      stream.attach(new Reading(log.tail, { encoding }));
    for (let round = 0; round < 50; round += 1) {
      log.commit(3);
      log.announce(1);
      await nextTurn();
      expect(stream.bytes).toBeLessThanOrEqual(8_000);
    }
    expect(stream.bytes).toBeGreaterThan(4_000);
  });

  it("sends live readers to the log for more messages than a window may hold", async () => {
    const { log, hub } = openHub({ maxWindowBytes: 8_000 });
    const stream = hub.enter(PATH);
    const reading = new Reading(log.tail);
    expect(stream.attach(reading)).toBe(true);
    log.commit(1_000);
    log.announce(1);
    await nextTurn();
    expect([reading.detachments, reading.deliveries.length, stream.bytes]).toEqual([1, 0, 0]);
    expect(stream.attach(new Reading(log.tail))).toBe(true);
  });

  it("keeps its bound where readers of another encoding join a window that is full", async () => {
    const { log, hub } = openHub({ maxWindowBytes: 8_000 });
    const stream = hub.enter(PATH);
    const tail = { incarnation: 1, position: 0 };
    log.commit(12);
    log.announce(1);
    await nextTurn();
    for (const encoding of [WEBSOCKET_ENCODING, SSE_ENCODING])
      expect(stream.attach(new Reading(tail, { encoding }))).toBe(true);
    expect(stream.bytes).toBeGreaterThan(8_000);
    await nextTurn();
    expect(stream.bytes).toBeLessThanOrEqual(8_000);
  });

  it("keeps its bound over all streams together, and gives back what a left stream held", async () => {
    const { log, hub } = openHub({ maxWindowsBytes: 8_000 });
    const stream = hub.enter(PATH);
    const fill = async (): Promise<void> => {
      log.commit(50);
      log.announce(1);
      await nextTurn();
    };
    for (let round = 0; round < 5; round += 1) {
      await fill();
      stream.attach(new Reading({ ...log.tail, position: log.tail.position - 5 }));
      await nextTurn();
      expect(stream.bytes).toBeGreaterThan(4_000);
      expect(stream.bytes).toBeLessThanOrEqual(8_000);
    }
    hub.leave(stream);
    const next = hub.enter(PATH);
    await fill();
    expect(next.bytes).toBeGreaterThan(4_000);
  });

  it("sends live readers back to the log where an announcement was lost, and no one twice", async () => {
    const { log, hub } = openHub();
    const stream = hub.enter(PATH);
    log.commit(1);
    log.announce(1);
    const [behind, ahead] = [new Reading(log.tail), new Reading({ incarnation: 1, position: 3 })];
    for (const reading of [behind, ahead]) stream.attach(reading);
    log.loseAnnouncement(log.commit(2), { isRepeated: false });
    log.commit(1);
    log.announce(1);
    await nextTurn();
    expect([behind.detachments, behind.position.position]).toEqual([1, 1]);
    expect([ahead.detachments, ahead.position.position]).toEqual([0, 4]);
    expect(stream.liveCount).toBe(1);
    expect(stream.attach(behind)).toBe(false);
  });

  it("sends live readers back to the log at once when the log is no longer sure", () => {
    const { log, hub } = openHub();
    const stream = hub.enter(PATH);
    const reading = new Reading(log.tail);
    stream.attach(reading);
    log.loseAnnouncement(log.commit(2), { isRepeated: false });
    expect(stream.liveCount).toBe(1);
    log.tellUncertain();
    expect(stream.liveCount).toBe(0);
  });

  it("says when the last reader of a stream has left", () => {
    const { hub } = openHub();
    const onLeft = vi.fn<(path: string) => void>();
    hub.onLeft(onLeft);
    const [first, second] = [hub.enter(PATH), hub.enter(PATH)];
    hub.leave(first);
    expect([hub.isFollowed(PATH), onLeft.mock.calls.length]).toEqual([true, 0]);
    hub.leave(second);
    expect([hub.isFollowed(PATH), onLeft.mock.calls]).toEqual([false, [[PATH]]]);
  });

  it("hears nothing more once it is closed", async () => {
    const { log, hub } = openHub();
    const stream = hub.enter(PATH);
    const reading = new Reading(log.tail);
    stream.attach(reading);
    log.commit(1);
    log.announce(1);
    hub.close();
    hub.close();
    await nextTurn();
    expect(reading.deliveries).toEqual([]);
  });
});

describe("Subscriber", () => {
  it("goes on in the stream's next life where it was slow at the end of the last and has missed nothing", async () => {
    const { log, hub } = openHub();
    const sink = new CollectingSink({ isStalled: true });
    const stream = hub.enter(PATH);
    log.commit(1);
    log.announce(1);
    const follow = (position: Offset): Subscriber =>
      new Subscriber({
        sink,
        stream,
        pages: new Pages(log),
        position,
        notBefore: () => 0,
        isOverBudget: () => sink.unsentBytes > 0,
      });
    const end = { ...log.tail, position: 2 };
    const leaving = new AbortController();
    const ended = follow(log.tail).run(leaving.signal);
    log.commit(1);
    log.drop(end);
    log.announce(2);
    expect([sink.messages.length, stream.liveCount]).toEqual([1, 0]);
    sink.drain();
    await vi.waitFor(() => expect(stream.liveCount).toBe(1));
    log.commit(1);
    log.announce(1);
    await vi.waitFor(() => expect(sink.messages).toHaveLength(2));
    leaving.abort();
    expect(await ended).toBe("aborted");
    sink.drain();
    // One that had not read all of the last life has missed something.
    expect(await follow({ ...end, position: 1 }).run(new AbortController().signal)).toBe("gone");
  });

  it("reads pages while its peer is slow, never past its budget, and comes live again", async () => {
    const { log, hub } = openHub({ maxWindowBytes: 500 });
    const sink = new CollectingSink({ isStalled: true });
    const stream = hub.enter(PATH);
    const position = log.tail;
    const subscriber = new Subscriber({
      sink,
      stream,
      pages: new Pages(log),
      position,
      notBefore: () => 0,
      isOverBudget: () => sink.unsentBytes > 100,
    });
    const leaving = new AbortController();
    const ended = subscriber.run(leaving.signal);
    for (let message = 1; message <= 20; message += 1) {
      log.commit(1);
      log.announce(1);
      await nextTurn();
    }
    expect([sink.messages.length, stream.liveCount]).toEqual([1, 0]);
    sink.drain();
    await vi.waitFor(() => expect(sink.messages).toHaveLength(20));
    expect(stream.liveCount).toBe(0);
    sink.drain();
    await vi.waitFor(() => expect(stream.liveCount).toBe(1));
    leaving.abort();
    expect(await ended).toBe("aborted");
    expect([stream.liveCount, sink.writes]).toEqual([0, 2]);
  });
});

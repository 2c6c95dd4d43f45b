import { describe, expect, it, vi } from "vitest";
import type { Broker } from "#src/broker/broker.ts";
import type { Followed } from "#src/broker/follow.ts";
import { encodeOffset, ORIGIN, parseOffset } from "#src/protocol/offset.ts";
import type { Offset } from "#src/protocol/offset.ts";
import type { Start } from "#src/protocol/start.ts";
import { resolveLifecycle } from "#src/shared/lifecycle.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { openBroker, publishRequest } from "../support/broker.ts";
import { CollectingSink } from "../support/collecting-sink.ts";
import { PATIENT } from "../support/patient.ts";
import { codeOf } from "../support/store.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DAY = 86_400_000;
const id = (position: number, incarnation = 1): string => encodeOffset({ incarnation, position });

describe("Broker.publish", () => {
  it("gives the ids of the messages, once they are durable", async () => {
    const folder = temporaryFolder();
    const broker = await openBroker({ folder });
    expect(await broker.publish(publishRequest({ texts: ["1", "2"] }))).toEqual([id(1), id(2)]);
    expect(broker.tail("chat")).toBe(id(2));
    await broker.close();
    expect((await openBroker({ folder })).tail("chat")).toBe(id(2));
  });

  it("gives a repeat with the same key the same ids, after a restart too", async () => {
    const folder = temporaryFolder();
    const request = publishRequest({ key: "k" });
    const broker = await openBroker({ folder });
    const ids = await broker.publish(request);
    expect(await broker.publish(request)).toEqual(ids);
    await broker.close();
    const again = await openBroker({ folder });
    expect(await again.publish(request)).toEqual(ids);
    expect(again.tail("chat")).toBe(id(1));
  });

  it("refuses a key that was used for another message", async () => {
    const broker = await openBroker();
    await broker.publish(publishRequest({ key: "k", texts: ["1"] }));
    expect(await codeOf(broker.publish(publishRequest({ key: "k", texts: ["2"] })))).toBe("key_reused");
    expect(await codeOf(broker.publish(publishRequest({ key: "k", texts: ["1", "1"] })))).toBe("key_reused");
  });

  it("knows a repeat by what was sent, whatever the app made of it", async () => {
    const broker = await openBroker();
    const sent = [{ type: "message", dataText: '"raw"' }];
    const first = await broker.publish(publishRequest({ key: "k", sent, texts: ['"made at 12:00"'] }));
    expect(await broker.publish(publishRequest({ key: "k", sent, texts: ['"made at 12:01"'] }))).toEqual(
      first,
    );
  });

  it("keeps the keys of the app, of each subject and of nobody apart", async () => {
    const broker = await openBroker();
    const publishers = [
      { kind: "app" },
      { kind: "client" },
      { kind: "client", subject: "app" },
      { kind: "client", subject: "nobody" },
      { kind: "client", subject: "subject app" },
    ] as const;
    const ids = [];
    for (const publisher of publishers)
      ids.push(...(await broker.publish(publishRequest({ key: "k", publisher }))));
    expect(new Set(ids).size).toBe(publishers.length);
  });

  it("says who a message is from only where a client with a subject sent it", async () => {
    const broker = await openBroker();
    await broker.publish(publishRequest());
    await broker.publish(publishRequest({ publisher: { kind: "client" } }));
    await broker.publish(publishRequest({ publisher: { kind: "client", subject: "u1" } }));
    await using reading = follow(broker, { start: { kind: "oldest" } });
    await vi.waitFor(() => expect(reading.sink.messages).toHaveLength(3));
    expect(reading.sink.messages.map((message) => ("from" in message ? message.from : "-"))).toEqual([
      "-",
      "-",
      "u1",
    ]);
  });
});

describe("Broker.follow", () => {
  it("stores nothing for who only reads", async () => {
    const broker = await openBroker();
    await using reading = follow(broker, { start: { kind: "live" } });
    expect(reading.position).toBe(encodeOffset(ORIGIN));
    expect(broker.tail("chat")).toBe(encodeOffset(ORIGIN));
  });

  it("brings the first message ever to who was there before it", async () => {
    const broker = await openBroker();
    await using reading = follow(broker, { start: { kind: "live" } });
    await broker.publish(publishRequest());
    await vi.waitFor(() => expect(reading.sink.ids).toEqual([id(1)]));
  });

  it("goes on from `start` where the oldest message expires before the first page", async () => {
    const broker = await openBroker();
    const { followed, expired } = await followBriefly(broker, () => ({ kind: "oldest" }));
    await expired;
    const sink = new CollectingSink();
    const leaving = new AbortController();
    const ended = followed.run(sink, leaving.signal);
    const ids = await broker.publish(publishRequest());
    await vi.waitFor(() => expect(sink.ids).toEqual(ids));
    leaving.abort();
    await ended;
  });

  it("tells who fell out of the window so, where an id was asked for", async () => {
    const broker = await openBroker();
    const { followed, expired } = await followBriefly(broker, (offset) => ({ kind: "after", offset }));
    await expired;
    const tail = broker.tail("chat");
    await expect(followed.run(new CollectingSink(), new AbortController().signal)).rejects.toMatchObject({
      code: "replay_window_exceeded",
      fields: { oldest: tail, newest: tail },
    });
  });

  it("holds no place for who was refused", async () => {
    const broker = await openBroker();
    const start: Start = { kind: "after", offset: { incarnation: 9, position: 9 } };
    expect(() => broker.follow({ path: "chat", start, replayWindowMs: () => DAY })).toThrow(
      expect.objectContaining({ code: "replay_window_exceeded" }),
    );
    expect(broker.liveCount("chat")).toBe(0);
  });

  it("counts who is live, until they leave", async () => {
    const broker = await openBroker();
    const reading = follow(broker, { start: { kind: "live" } });
    await vi.waitFor(() => expect(broker.liveCount("chat")).toBe(1));
    await reading[Symbol.asyncDispose]();
    expect(broker.liveCount("chat")).toBe(0);
  });

  it("goes by the replay window as it is now, also for a reader that began under a longer one", async () => {
    const broker = await openBroker({ limits: { ...DEFAULT_LIMITS, maxUnsentBytes: 1 } });
    let replayWindowMs = DAY;
    const followed = broker.follow({
      path: "chat",
      start: { kind: "live" },
      replayWindowMs: () => replayWindowMs,
    });
    const sink = new CollectingSink({ isStalled: true });
    const leaving = new AbortController();
    const ended = followed.run(sink, leaving.signal).finally(() => followed.close());
    await broker.publish(publishRequest()); // fills its budget, so that it has to read on from the log
    await broker.publish(publishRequest());
    sink.drain();
    await vi.waitFor(() => expect(sink.messages).toHaveLength(2), PATIENT);
    const [id = ""] = await broker.publish(publishRequest());
    replayWindowMs = 0;
    // In the millisecond of its publish a message is not older than now.
    await vi.waitFor(() => {
      const start: Start = { kind: "last-messages", count: 1 };
      const late = broker.follow({ path: "chat", start, replayWindowMs: () => 0 });
      late.close();
      expect(encodeOffset(late.position)).toBe(id);
    }, PATIENT);
    sink.drain();
    await expect(ended).rejects.toMatchObject({ code: "replay_window_exceeded" });
    expect(sink.messages).toHaveLength(2);
  });

  it("ends at once for a signal that is aborted already", async () => {
    const broker = await openBroker();
    const followed = broker.follow({ path: "chat", start: { kind: "live" }, replayWindowMs: () => DAY });
    await followed.run(new CollectingSink(), AbortSignal.abort());
    followed.close();
    followed.close();
  });
});

it("can be closed twice, and left after it is closed", async () => {
  const broker = await openBroker();
  await broker.publish(publishRequest({ lifecycle: resolveLifecycle({ inactivityTtlMs: 1_000 }) }));
  const reading = follow(broker, { start: { kind: "live" } });
  await Promise.all([broker.close(), broker.close()]);
  await broker.close();
  await reading[Symbol.asyncDispose]();
});

/** Holds the place before a message that is about to leave the replay window; `expired` resolves when it has. */
async function followBriefly(
  broker: Broker,
  toStart: (before: Offset) => Start,
): Promise<{ followed: Followed; expired: Promise<void> }> {
  const replayWindowMs = 100;
  // A busy machine may take longer than the window from the one call to the next: then once more.
  return vi.waitFor(async () => {
    const [published = ""] = await broker.publish(publishRequest());
    const { incarnation = 0, position = 0 } = parseOffset(published) ?? {};
    const before = { incarnation, position: position - 1 };
    const follow = (start: Start): Followed =>
      broker.follow({ path: "chat", start, replayWindowMs: () => replayWindowMs });
    const followed = follow(toStart(before));
    expect(followed.position).toEqual(before);
    const expired = vi.waitFor(() => expect(() => follow({ kind: "after", offset: before })).toThrow());
    return { followed, expired };
  });
}

interface Reading extends AsyncDisposable {
  readonly sink: CollectingSink;
  /** Where reading began. */
  readonly position: string;
}

function follow(broker: Broker, { start }: { start: Start }): Reading {
  const followed = broker.follow({ path: "chat", start, replayWindowMs: () => DAY });
  const sink = new CollectingSink();
  const leaving = new AbortController();
  const position = encodeOffset(followed.position);
  const ended = followed.run(sink, leaving.signal).finally(() => followed.close());
  return {
    sink,
    position,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await ended;
    },
  };
}

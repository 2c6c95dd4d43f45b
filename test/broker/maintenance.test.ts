import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Clock } from "#src/broker/clock.ts";
import { Hub } from "#src/broker/hub.ts";
import { Lifetimes } from "#src/broker/lifetimes.ts";
import { Maintenance } from "#src/broker/maintenance.ts";
import type { Retention } from "#src/broker/operation.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { append, NOON, resultOf, RETENTION } from "../support/operations.ts";
import { PATIENT } from "../support/patient.ts";
import { openStore } from "../support/store.ts";

const DAY = 86_400_000;

/** A store under maintenance, whose clock the test moves. */
async function maintained() {
  const store = await openStore();
  const { reader } = store;
  const time = { passed: 0 };
  const log: LogEntry[] = [];
  const clock = new Clock({
    notBefore: 0,
    logger: () => {},
    wall: () => NOON + time.passed,
    monotonic: () => time.passed,
  });
  const hub = new Hub({ log: store, reader });
  const logger = (entry: LogEntry): void => void log.push(entry);
  const lifetimes = new Lifetimes({ log: store, hub, clock });
  const maintenance = new Maintenance({ log: store, reader, hub, clock, lifetimes, logger });
  onTestFinished(() => maintenance.close());
  const publish = async (retention: Partial<Retention>, texts = ["0"]): Promise<void> => {
    await store.propose([append({ time: clock.now(), retention, texts })]);
  };
  const pass = async (milliseconds: number): Promise<void> => {
    time.passed += milliseconds;
    await maintenance.run();
  };
  return { store, hub, log, time, publish, pass, maintenance, stream: () => reader.stream("chat") };
}

describe("Maintenance", () => {
  it("deletes what is over the replay window, with or without subscribers", async () => {
    const { hub, publish, pass, stream } = await maintained();
    hub.enter("chat");
    await publish({ replayWindowMs: 1_000 });
    await pass(600);
    await publish({ replayWindowMs: 1_000 });
    expect(stream()?.oldest).toBe(0);
    await pass(401);
    expect(stream()).toMatchObject({ oldest: 1, tail: 2 });
    await pass(1_000);
    expect(stream()).toMatchObject({ oldest: 2, tail: 2 });
  });

  it("deletes a long history in steps, in one round", async () => {
    const { publish, pass, stream } = await maintained();
    await publish({ replayWindowMs: 0 }, Array.from({ length: 5_000 }, String));
    await pass(10);
    expect(stream()).toMatchObject({ oldest: 5_000, tail: 5_000 });
  });

  it("leaves to the next round what becomes due in this one", async () => {
    const { store, time, publish, pass, stream } = await maintained();
    for (; time.passed < 100; time.passed += 1) await publish({ replayWindowMs: 1_000 });
    const propose = store.propose.bind(store);
    vi.spyOn(store, "propose").mockImplementation((operations) => {
      time.passed += 10;
      return propose(operations);
    });
    await pass(950);
    expect(stream()).toMatchObject({ oldest: 50, tail: 100 });
    await pass(0);
    expect(stream()?.oldest).toBeGreaterThan(50);
  });

  it("deletes what is due in many rooms in few commits", async () => {
    const { store, pass } = await maintained();
    const rooms = Array.from({ length: 500 }, (_, room) => `chat/room=${room}`);
    await store.propose(rooms.map((path) => append({ path, retention: { replayWindowMs: 0 } })));
    const batches: number[] = [];
    store.follow({ onCommitted: (batch) => batches.push(batch.length) });
    await pass(10);
    expect(rooms.map((path) => store.reader.stream(path)?.oldest)).toEqual(rooms.map(() => 1));
    expect(batches.length).toBeLessThan(20);
  });

  it("brings a stream back to its `maxMessages`", async () => {
    const { publish, pass, stream } = await maintained();
    await publish({ maxMessages: 3 }, ["1", "2", "3", "4", "5"]);
    await pass(0);
    expect(stream()).toMatchObject({ oldest: 2, tail: 5 });
  });

  it("brings a stream under its `maxBytes` without deleting more than it must", async () => {
    const { publish, pass, stream } = await maintained();
    await publish({ maxBytes: 10_000 }, [`"${"x".repeat(60_000)}"`]);
    await publish({ maxBytes: 10_000 }, Array.from({ length: 19 }, String));
    await pass(0);
    expect(stream()).toMatchObject({ oldest: 1, tail: 20 });
  });

  it("drops a stream that nobody used for its inactivity TTL, and gives its ids to nobody", async () => {
    const { store, publish, pass, stream } = await maintained();
    await publish({ inactivityTtlMs: 1_000 });
    await pass(900);
    expect(stream()?.incarnation).toBe(1);
    await pass(200);
    expect(stream()).toMatchObject({ incarnation: 2, tail: 0, hasEarlierLife: true });
    const [result] = await store.propose([append()]);
    expect(resultOf("appended", result)).toMatchObject({ incarnation: 2, first: 0 });
  });

  it("counts a subscriber as use, and the TTL from when the last has left", async () => {
    const { hub, publish, pass, stream } = await maintained();
    await publish({ inactivityTtlMs: 1_000 });
    const held = hub.enter("chat");
    await pass(5_000);
    expect(stream()?.incarnation).toBe(1);
    hub.leave(held);
    await pass(900);
    expect(stream()?.incarnation).toBe(1);
    await pass(200);
    expect(stream()?.incarnation).toBe(2);
  });

  it("gives every stream of a channel its changed retention, and prunes by it", async () => {
    const { store, maintenance, pass, stream } = await maintained();
    const rooms = Array.from({ length: 1_200 }, (_, room) => `chat/room=${room}`);
    const others = ["chat-old", "chat/x", "chat/x/room=1", "chats"];
    await store.propose(
      ["chat", ...rooms, ...others].map((path) => append({ path, texts: ["1", "2", "3"] })),
    );
    maintenance.setRetention("chat", { ...RETENTION, maxMessages: 1 });
    await pass(0);
    await expect.poll(() => stream()?.maxMessages, PATIENT).toBe(1);
    await pass(0);
    const oldest = (path: string): number | undefined => store.reader.stream(path)?.oldest;
    expect(new Set(["chat", ...rooms].map(oldest))).toEqual(new Set([2]));
    expect(others.map(oldest)).toEqual([0, 0, 0, 0]);
  });

  it("tries again to give a changed retention where the store did not take it", async () => {
    const { store, maintenance, publish, pass, stream } = await maintained();
    await publish({});
    const propose = vi.spyOn(store, "propose").mockRejectedValueOnce(new Error("disk"));
    maintenance.setRetention("chat", { ...RETENTION, maxMessages: 5 });
    await expect.poll(() => propose.mock.calls.length, PATIENT).toBeGreaterThan(0);
    await pass(0);
    await pass(0);
    expect(stream()?.maxMessages).toBe(5);
  });

  it("gives the retention that was changed last, also where it changes in the middle", async () => {
    const { store, maintenance, publish, pass, stream } = await maintained();
    await publish({});
    const propose = store.propose.bind(store);
    vi.spyOn(store, "propose").mockImplementationOnce(async (operations) => {
      await nextTurn();
      maintenance.setRetention("chat", { ...RETENTION, maxMessages: 6 });
      return propose(operations);
    });
    maintenance.setRetention("chat", { ...RETENTION, maxMessages: 5 });
    await pass(0);
    await expect.poll(() => stream()?.maxMessages, PATIENT).toBe(6);
  });

  it("counts a TTL that is new to a stream from its change", async () => {
    const { maintenance, publish, pass, stream } = await maintained();
    await publish({});
    await pass(5_000);
    maintenance.setRetention("chat", { ...RETENTION, inactivityTtlMs: 1_000 });
    await expect.poll(() => stream()?.inactivityTtlMs, PATIENT).toBe(1_000);
    await pass(900);
    expect(stream()?.incarnation).toBe(1);
    await pass(200);
    expect(stream()?.incarnation).toBe(2);
  });

  it("never drops a stream without an inactivity TTL", async () => {
    const { publish, pass, stream } = await maintained();
    await publish({ inactivityTtlMs: 0, replayWindowMs: 1_000 });
    await pass(300 * DAY);
    expect(stream()).toMatchObject({ incarnation: 1, tail: 1, oldest: 1 });
  });

  it("keeps an idempotency key for a day at least and two at most", async () => {
    const { store, pass } = await maintained();
    await pass(0);
    await pass(DAY - 1_000);
    const repeat = async (): Promise<boolean> => {
      const key = { owner: "app", key: "k", fingerprint: "f" };
      const [result] = await store.propose([append({ key })]);
      return resultOf("appended", result).isRepeat;
    };
    expect(await repeat()).toBe(false);
    await pass(1_000);
    await pass(DAY - 1_000);
    expect(await repeat()).toBe(true);
    await pass(1_000);
    expect(await repeat()).toBe(false);
  });

  it("tells of what fails and does not throw", async () => {
    const { store, log, pass } = await maintained();
    await store.close();
    await pass(DAY);
    expect(log).toMatchObject([{ level: "warn", event: "maintenance-failed" }]);
  });

  it("runs one round at a time", async () => {
    const { store, publish, maintenance } = await maintained();
    await publish({ maxMessages: 1 }, ["1", "2"]);
    const propose = vi.spyOn(store, "propose");
    await Promise.all([maintenance.run(), maintenance.run()]);
    expect(propose.mock.calls.flat(2).filter(({ kind }) => kind === "trim")).toHaveLength(1);
  });
});

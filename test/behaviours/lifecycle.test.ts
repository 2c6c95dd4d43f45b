import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseOffset } from "#src/protocol/offset.ts";
import { LIFECYCLE, LIFECYCLE_KEYS } from "#src/shared/lifecycle.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { openCounting } from "../support/heartbeats.ts";
import { PATIENT } from "../support/patient.ts";
import { newRoom } from "../support/room.ts";
import type { Room } from "../support/room.ts";
import { jsonBody, makeProject, PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { readStored } from "../support/stored.ts";
import type { StoredStream } from "../support/stored.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

const GONE = { SSE: 410, WebSocket: 4410 };
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const GUARDED = { ...PUBLIC_ROOMS, public: false, auth: { headerName: "authorization" } };

const CHANNELS = {
  chat: PUBLIC_ROOMS,
  windowed: { ...PUBLIC_ROOMS, replayWindowMs: SECOND },
  "live-only": { ...PUBLIC_ROOMS, replayWindowMs: 0 },
  dropped: { ...PUBLIC_ROOMS, inactivityTtlMs: SECOND },
  quiet: { ...PUBLIC_ROOMS, keepaliveIntervalMs: SECOND },
  short: { ...PUBLIC_ROOMS, maxConnectionLifetimeMs: 10 * SECOND },
  few: { ...PUBLIC_ROOMS, maxMessages: 2 },
  small: { ...PUBLIC_ROOMS, maxBytes: 300 },
};

let server: TestServer;
let guarded: GuardedServer;

beforeAll(async () => {
  server = await startTestServer({ channels: CHANNELS, watch: true });
  guarded = await startGuardedServer({ channels: { guarded: GUARDED }, watch: true });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

/** Saves a definition, and waits until it is live. */
async function save(
  { on = server, channel }: { on?: TestServer; channel: string },
  definition: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { registry } = on.running;
  const before = registry.get(channel);
  on.define(channel, definition);
  await vi.waitFor(() => expect(registry.get(channel) !== before).toBe(true), PATIENT);
}

/** Which life of its stream an id is of. */
function lifeOf(id: string | undefined): number | undefined {
  return parseOffset(id ?? "")?.incarnation;
}

function stored({ path }: Pick<Room, "path">): StoredStream | undefined {
  return readStored(server, path);
}

/** Waits until a room has these messages on the disk, and no other. */
async function untilStored(room: Room, positions: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(stored(room)?.positions).toEqual(positions), PATIENT);
}

/** Waits until the life of a room has ended in which this id was given. */
async function untilDropped(room: Room, id: string | undefined): Promise<void> {
  await vi.waitFor(() => expect(stored(room)?.incarnation).not.toBe(lifeOf(id)), PATIENT);
}

// Most of the time is spent waiting for a round of maintenance: all wait at once.
describe.concurrent.each([sseClient, webSocketClient])("over $name", (client) => {
  const { name, connect } = client;
  const channelOf = (purpose: string): string => `${purpose}-${name.toLowerCase()}`;

  /** Where reading starts. */
  async function startOf(url: string): Promise<string> {
    const { startId, close } = await connect(url);
    close();
    return startId;
  }

  /** An id must be refused because of what was missed after it. */
  async function expectGone(room: Room, id: string | undefined): Promise<void> {
    await expect(connect(room.url(`last_message_id=${id}`))).rejects.toMatchObject({ number: GONE[name] });
  }

  it("replayWindowMs: messages older than it are deleted, with a subscriber and without", async () => {
    const [followed, alone] = [newRoom(server, "windowed"), newRoom(server, "windowed")];
    const { log, close } = await connect(followed.url());
    const ids = [await followed.publish(1, 2), await alone.publish(1, 2)];
    await Promise.all([untilStored(followed, []), untilStored(alone, [])]);
    await expectGone(followed, ids[0]?.[0]);
    await expectGone(alone, ids[1]?.[0]);
    await followed.publish(3);
    expect(await log.dataOf(3)).toEqual([1, 2, 3]);
    close();
  });

  it("replayWindowMs: a reader goes back no further, also where nothing is deleted yet", async () => {
    const room = newRoom(server, "windowed");
    const [, second] = await room.publish(1, 2);
    await vi.waitFor(
      async () => expect(await startOf(room.url("last_message_id=start"))).toBe(second),
      PATIENT,
    );
  });

  it("replayWindowMs: 0: the live tail is all there is", async () => {
    const room = newRoom(server, "live-only");
    const live = await connect(room.url());
    const ids = await room.publish(1, 3);
    expect(await live.log.dataOf(3)).toEqual([1, 2, 3]);
    for (const query of ["last_message_id=start", "rewind=3", "rewind=1h"]) {
      await vi.waitFor(async () => expect(await startOf(room.url(query))).toBe(ids.at(-1)), PATIENT);
    }
    await expectGone(room, ids[1]);
    const resumed = await connect(room.url(`last_message_id=${ids.at(-1)}`));
    await room.publish(4);
    expect(await live.log.dataOf(4)).toEqual([1, 2, 3, 4]);
    expect(await resumed.log.dataOf(1)).toEqual([4]);
    live.close();
    resumed.close();
  });

  it("inactivityTtlMs: a stream that nobody uses is dropped, its ids are gone and never used again", async () => {
    const room = newRoom(server, "dropped");
    const { close } = await connect(room.url());
    const ids = await room.publish(1, 3);
    close();
    await untilDropped(room, ids[0]);
    for (const id of ids) await expectGone(room, id);
    const { log, startId, ...again } = await connect(room.url("last_message_id=start"));
    const [next = ""] = await room.publish(4);
    expect(await log.dataOf(1)).toEqual([4]);
    expect([...ids, startId, next].toSorted()).toEqual([...ids, startId, next]);
    expect(new Set([...ids, startId, next]).size).toBe(5);
    again.close();
  });

  it("inactivityTtlMs: a subscriber keeps the stream, and the time counts from when it has left", async () => {
    const [kept, unused] = [newRoom(server, "dropped"), newRoom(server, "dropped")];
    const { log, close } = await connect(kept.url());
    const [id] = await kept.publish(1);
    // What was published later and is dropped shows that the kept one was due too.
    await untilDropped(unused, (await unused.publish(1))[0]);
    expect(stored(kept)).toMatchObject({ incarnation: lifeOf(id), positions: [1] });
    await kept.publish(2);
    expect(await log.dataOf(2)).toEqual([1, 2]);
    close();
    await untilDropped(kept, id);
  }, 60_000);

  it("keepaliveIntervalMs: a heartbeat goes out after that long with nothing sent", async () => {
    const room = newRoom(server, "quiet");
    const startedAt = performance.now();
    const { heartbeats, log, close } = await openCounting(client, { url: room.url() });
    await vi.waitFor(() => expect(heartbeats()).toBeGreaterThan(0), PATIENT);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(SECOND);
    await vi.waitFor(() => expect(heartbeats()).toBeGreaterThan(2), PATIENT);
    await room.publish(1);
    expect(await log.dataOf(1)).toEqual([1]);
    close();
  });

  it("maxConnectionLifetimeMs: ends after 80 to 100 % of it, to be resumed with the same id", async () => {
    const room = newRoom(server, "short");
    const startedAt = performance.now();
    const lives = Array.from({ length: 20 }, async () => {
      const { log } = await connect(room.url());
      const ending = await log.ended;
      return { ...ending, livedMs: performance.now() - startedAt };
    });
    const [id] = await room.publish(1);
    for (const { title, closeCode, afterMs, livedMs } of await Promise.all(lives)) {
      expect(title).toBe("connection lifetime is over");
      if (closeCode !== undefined) expect(closeCode).toBe(4408);
      expect(afterMs).toBeGreaterThanOrEqual(0);
      expect(livedMs).toBeGreaterThanOrEqual(8 * SECOND);
    }
    await room.publish(2);
    const { log, close } = await connect(room.url(`last_message_id=${id}`));
    expect(await log.dataOf(1)).toEqual([2]);
    close();
  }, 60_000);

  it("maxMessages: only the newest are kept; who is live gets all", async () => {
    const room = newRoom(server, "few");
    const live = await connect(room.url());
    const ids = await room.publish(1, 5);
    await untilStored(room, [4, 5]);
    await expectGone(room, ids[1]);
    const { log, close } = await connect(room.url("last_message_id=start"));
    expect(await log.dataOf(2)).toEqual([4, 5]);
    expect(await live.log.dataOf(5)).toEqual([1, 2, 3, 4, 5]);
    close();
    live.close();
  });

  it("maxBytes: only the newest are kept that fit; who is live gets all", async () => {
    const room = newRoom(server, "small"); // a message takes some 120 bytes
    const live = await connect(room.url());
    const ids = await room.publish(1, 5);
    await untilStored(room, [4, 5]);
    await expectGone(room, ids[1]);
    const { log, close } = await connect(room.url("last_message_id=start"));
    expect(await log.dataOf(2)).toEqual([4, 5]);
    expect(await live.log.dataOf(5)).toEqual([1, 2, 3, 4, 5]);
    close();
    live.close();
  });

  it("a changed lifecycle reaches open connections: keepalive and lifetime, and none is dropped for it", async () => {
    const channel = channelOf("changed");
    await save({ channel }, { ...PUBLIC_ROOMS, keepaliveIntervalMs: 5 * MINUTE });
    const room = newRoom(server, channel);
    const startedAt = performance.now();
    const { heartbeats, log } = await openCounting(client, { url: room.url() });
    await save({ channel }, { ...PUBLIC_ROOMS, keepaliveIntervalMs: SECOND });
    await vi.waitFor(() => expect(heartbeats()).toBeGreaterThan(0), PATIENT);
    await room.publish(1);
    expect(await log.dataOf(1)).toEqual([1]);
    await save({ channel }, { ...PUBLIC_ROOMS, maxConnectionLifetimeMs: 10 * SECOND });
    expect(await log.ended).toMatchObject({ title: "connection lifetime is over" });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(8 * SECOND);
  }, 60_000);

  it("a changed lifecycle reaches open connections: who was quiet for long is not taken for silent", async () => {
    const channel = channelOf("idle");
    await save({ channel }, { ...PUBLIC_ROOMS, keepaliveIntervalMs: 5 * MINUTE });
    const room = newRoom(server, channel);
    const { heartbeats, log, close } = await openCounting(client, { url: room.url() });
    await sleep(4 * SECOND); // longer than a peer may be silent at the interval that follows
    await save({ channel }, { ...PUBLIC_ROOMS, keepaliveIntervalMs: SECOND });
    await vi.waitFor(() => expect(heartbeats()).toBeGreaterThan(1), PATIENT);
    await room.publish(1);
    expect(await log.dataOf(1)).toEqual([1]);
    close();
  }, 60_000);

  it("a changed lifecycle reaches open connections: the replay window of one that lags behind", async () => {
    const channel = channelOf("lagging");
    await save({ channel }, PUBLIC_ROOMS);
    const room = newRoom(server, channel);
    const { log, pause, resume } = await connect(room.url());
    pause();
    // More than the sockets' own buffers take, so that it must read on from the log.
    const batch = Array.from({ length: 15 }, () => ({ type: "m", data: "x".repeat(60_000) }));
    for (let count = 0; count < 20; count += 1) await server.publish(room.name, batch);
    await save({ channel }, { ...PUBLIC_ROOMS, replayWindowMs: 0 });
    resume();
    const { title, closeCode } = await log.ended;
    expect(title).toBe("some of what was missed can no longer be read");
    if (closeCode !== undefined) expect(closeCode).toBe(4410);
    expect(log.received.length).toBeLessThan(300);
  });

  it("a changed lifecycle reaches open connections: but not what the app chose for one", async () => {
    const channel = channelOf("guarded");
    await save({ on: guarded.server, channel }, { ...GUARDED, keepaliveIntervalMs: 5 * MINUTE });
    const room = newRoom(guarded.server, channel);
    const open = (answer: Record<string, number>) => {
      const token = guarded.tokenFor(() => ({ ok: true, ...answer }));
      return openCounting(client, { url: room.url(), headers: bearer(token) });
    };
    const chosen = await open({ keepaliveIntervalMs: 4 * MINUTE });
    const plain = await open({});
    await save({ on: guarded.server, channel }, { ...GUARDED, keepaliveIntervalMs: SECOND });
    await vi.waitFor(() => expect(plain.heartbeats()).toBeGreaterThan(1), PATIENT);
    expect(chosen.heartbeats()).toBe(0);
    chosen.close();
    plain.close();
  });
});

describe.concurrent("over HTTP", () => {
  it("a changed lifecycle reaches stored streams: those that nobody publishes to, and no other channel's", async () => {
    await save({ channel: "saved" }, PUBLIC_ROOMS);
    await save({ channel: "saved/sub" }, PUBLIC_ROOMS);
    const rooms = Array.from({ length: 5 }, () => newRoom(server, "saved"));
    const other = newRoom(server, "saved/sub");
    for (const room of [...rooms, other]) await room.publish(1, 5);
    await save({ channel: "saved" }, { ...PUBLIC_ROOMS, maxMessages: 2, replayWindowMs: MINUTE });
    for (const room of rooms) {
      await untilStored(room, [4, 5]);
      expect(stored(room)).toMatchObject({ maxMessages: 2, replayWindowMs: MINUTE });
    }
    expect(stored(other)).toMatchObject({ maxMessages: 0, positions: [1, 2, 3, 4, 5] });
  });

  it("a changed lifecycle reaches stored streams: what was saved while no server ran", async () => {
    const root = makeProject();
    const before = await startTestServer({ root, channels: { chat: PUBLIC_ROOMS } });
    const room = newRoom(before);
    await room.publish(1, 5);
    await before.running.close();
    await using after = await startTestServer({
      root,
      channels: { chat: { ...PUBLIC_ROOMS, maxMessages: 2 } },
    });
    await vi.waitFor(() => expect(readStored(after, room.path)?.positions).toEqual([4, 5]), PATIENT);
  });

  it("a stream keeps its lifecycle when the definition is gone: it is pruned and dropped on", async () => {
    await save({ channel: "removed" }, { ...PUBLIC_ROOMS, replayWindowMs: SECOND });
    await save({ channel: "removed-ttl" }, { ...PUBLIC_ROOMS, inactivityTtlMs: SECOND });
    const [pruned, dropped] = [newRoom(server, "removed"), newRoom(server, "removed-ttl")];
    await pruned.publish(1, 3);
    const [id] = await dropped.publish(1, 3);
    for (const name of ["removed", "removed-ttl"]) {
      server.undefine(name);
      await vi.waitFor(() => expect(server.running.registry.get(name)).toBeUndefined(), PATIENT);
    }
    await untilStored(pruned, []);
    await untilDropped(dropped, id);
  });

  it.each(LIFECYCLE_KEYS)(
    "bounds of every setting: %s is served at its bounds and refused past them",
    async (key) => {
      const { min, max, zeroIsOff } = LIFECYCLE[key];
      const good = [min, max, ...(zeroIsOff ? [0] : [])];
      const bad = [-1, ...(min > 1 ? [min - 1] : []), max + 1, min + 0.5, String(min)];
      const toChannel = (value: number | string, index: number) =>
        [`c${index}`, { ...PUBLIC_ROOMS, [key]: value }] as const;
      const channels = Object.fromEntries([...good, ...bad].map(toChannel));
      await using bounded = await startTestServer({ channels, watch: true });
      for (const [index, value] of [...good, ...bad].entries()) {
        const response = await fetch(
          bounded.url + toMessagesPath(`c${index}`),
          jsonBody({ type: "m", data: 1 }),
        );
        expect([value, response.status]).toEqual([value, index < good.length ? 200 : 404]);
      }
      const problems = bounded.logged.filter(({ event }) => event === "definition-error");
      expect(problems).toHaveLength(bad.length);
      for (const { message } of problems) expect(message).toContain(`\`${key}\` must be`);
    },
  );
});

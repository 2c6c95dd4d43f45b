import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { encodeOffset, ORIGIN, parseOffset } from "#src/protocol/offset.ts";
import { bearer, startGuardedServer } from "../support/guarded-server.ts";
import type { GuardedServer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { newRoom } from "../support/room.ts";
import type { Room } from "../support/room.ts";
import { PUBLIC_ROOMS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { readStored } from "../support/stored.ts";
import { Refusal } from "../support/subscriber-client.ts";
import type { ConnectOptions } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";

const ORIGIN_ID = "0000000000000000_0000000000000000";
const GONE = { SSE: 410, WebSocket: 4410 };
const MALFORMED = { SSE: 400, WebSocket: 4400 };
const DAY = 86_400_000;

const CHANNELS = {
  chat: PUBLIC_ROOMS,
  other: PUBLIC_ROOMS,
  /** Everything is over the window at once, and pruned soon. */
  fleeting: { ...PUBLIC_ROOMS, replayWindowMs: 0 },
  /** What is over the limit is pruned soon. */
  few: { ...PUBLIC_ROOMS, maxMessages: 3 },
  /** Dropped soon after everybody has left. */
  dropped: { ...PUBLIC_ROOMS, inactivityTtlMs: 1_000 },
};

let server: TestServer;
let guarded: GuardedServer;

beforeAll(async () => {
  server = await startTestServer({ channels: CHANNELS });
  guarded = await startGuardedServer({
    channels: {
      guarded: { ...PUBLIC_ROOMS, public: false, auth: { headerName: "authorization" }, replayWindowMs: DAY },
    },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

/** An id as many messages, or lives, further on. */
function shift(id: string | undefined, by: { incarnation?: number; position?: number }): string {
  const { incarnation, position } = parseOffset(id ?? "") ?? ORIGIN;
  return encodeOffset({
    incarnation: incarnation + (by.incarnation ?? 0),
    position: position + (by.position ?? 0),
  });
}

/** Waits until a room has these messages on the disk, and no other. */
async function untilStored(room: Room, positions: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(readStored(server, room.path)?.positions).toEqual(positions), PATIENT);
}

/** Waits until the life of a room has ended in which this id was given. */
async function untilDropped(room: Room, id: string | undefined): Promise<void> {
  const incarnation = parseOffset(id ?? "")?.incarnation;
  await vi.waitFor(() => expect(readStored(server, room.path)?.incarnation).not.toBe(incarnation), PATIENT);
}

// Most of the time is spent waiting for a round of maintenance: all wait at once.
describe.concurrent.each([sseClient, webSocketClient])("over $name", ({ name, connect }) => {
  /** The refusal of a connection that must not be granted. */
  async function refusalOf(url: string, options?: ConnectOptions): Promise<Refusal> {
    const outcome = await connect(url, options).catch((error: unknown) => error);
    if (outcome instanceof Refusal) return outcome;
    throw new Error(`expected a refusal of ${url}, got ${String(outcome)}`);
  }

  /** The `oldest` and `newest` of a 410. */
  async function goneOf(url: string, options?: ConnectOptions): Promise<Refusal["fields"]> {
    const { number, code, fields } = await refusalOf(url, options);
    expect({ number, code }).toEqual({ number: GONE[name], code: "replay_window_exceeded" });
    return fields;
  }

  /** Where reading starts. */
  async function startOf(room: Room, query?: string, options?: ConnectOptions): Promise<string> {
    const { startId, close } = await connect(room.url(query), options);
    close();
    return startId;
  }

  /** What a subscriber is sent up to and with the number 99, which is published once it is there. */
  async function readFrom(room: Room, query?: string, options?: ConnectOptions): Promise<unknown[]> {
    const { log, close } = await connect(room.url(query), options);
    await room.publish(99);
    await vi.waitFor(() => expect(log.received.at(-1)?.json).toContain('"data":99'), PATIENT);
    close();
    return log.dataOf(0);
  }

  it("no id: gets what is published from now on, in order", async () => {
    const room = newRoom(server);
    const [, , tail] = await room.publish(1, 3);
    const { log, startId, close } = await connect(room.url());
    expect(startId).toBe(tail);
    await room.publish(4, 6);
    await room.publish(7);
    expect(await log.dataOf(4)).toEqual([4, 5, 6, 7]);
    close();
  });

  it("Last-Event-ID: replays what came after it, then goes on live", async () => {
    const room = newRoom(server);
    const [, id] = await room.publish(1, 5);
    const { log, startId, close } = await connect(room.url(), { headers: { "last-event-id": id ?? "" } });
    await room.publish(6, 7);
    expect(startId).toBe(id);
    expect(await log.dataOf(5)).toEqual([3, 4, 5, 6, 7]);
    close();
  });

  it("last_message_id: replays what came after it, then goes on live", async () => {
    const room = newRoom(server);
    const [, id] = await room.publish(1, 5);
    const { log, startId, close } = await connect(room.url(`last_message_id=${id}`));
    await room.publish(6, 7);
    expect(startId).toBe(id);
    expect(await log.dataOf(5)).toEqual([3, 4, 5, 6, 7]);
    close();
  });

  it.each([
    ["the header of all three", { header: "id", query: "last_message_id=start&rewind=1" }],
    ["last_message_id of the two", { header: undefined, query: "last_message_id=id&rewind=1" }],
    // An EventSource that has seen no id sends none, but proxies send an empty one.
    ["no header that is empty", { header: "", query: "last_message_id=id&rewind=1" }],
  ])("Last-Event-ID before last_message_id before rewind: takes %s", async (_, { header, query }) => {
    const room = newRoom(server);
    const [, , id = ""] = await room.publish(1, 5);
    const headers = header === undefined ? {} : { "last-event-id": header.replace("id", id) };
    expect(await readFrom(room, query.replace("=id", `=${id}`), { headers })).toEqual([4, 5, 99]);
  });

  it.each([
    [0, [99]],
    [2, [3, 4, 99]],
    [4, [1, 2, 3, 4, 99]],
    [999_999_999, [1, 2, 3, 4, 99]],
  ])(
    "rewind=<n>: sends the last %i messages, as far as there are any, then live",
    async (count, expected) => {
      const room = newRoom(server);
      await room.publish(1, 4);
      expect(await readFrom(room, `rewind=${count}`)).toEqual(expected);
    },
  );

  it("rewind=<n>: goes back no further than what is retained", async () => {
    const room = newRoom(server, "few");
    await room.publish(1, 5);
    await untilStored(room, [3, 4, 5]);
    expect(await readFrom(room, "rewind=5")).toEqual([3, 4, 5, 99]);
  });

  it("rewind=<duration>: sends the messages of that long, then live", async () => {
    const room = newRoom(server);
    await room.publish(1, 2);
    expect(await readFrom(room, "rewind=10m")).toEqual([1, 2, 99]);
    // Once the clock has moved on, nothing is young enough.
    const newest = (await room.publish(3)).at(-1);
    await vi.waitFor(async () => expect(await startOf(room, "rewind=0ms")).toBe(newest), PATIENT);
  });

  it("rewind=<duration>: goes back no further than the replay window", async () => {
    const room = newRoom(server, "fleeting");
    const [, id] = await room.publish(1, 2);
    await vi.waitFor(async () => expect(await startOf(room, "rewind=10m")).toBe(id), PATIENT);
  });

  it("start: replays all that is retained, then goes on live", async () => {
    const room = newRoom(server);
    await room.publish(1, 4);
    expect(await readFrom(room, "last_message_id=start")).toEqual([1, 2, 3, 4, 99]);
  });

  it("start: is never 410, whatever was pruned or dropped", async () => {
    const [pruned, dropped] = [newRoom(server, "few"), newRoom(server, "dropped")];
    await pruned.publish(1, 5);
    const [id] = await dropped.publish(1, 5);
    await Promise.all([untilStored(pruned, [3, 4, 5]), untilDropped(dropped, id)]);
    expect(await readFrom(pruned, "last_message_id=start")).toEqual([3, 4, 5, 99]);
    expect(await readFrom(dropped, "last_message_id=start")).toEqual([99]);
  });

  it("the first position: resumes exactly a client that had read nothing", async () => {
    const room = newRoom(server);
    await room.publish(1, 2);
    const startId = await startOf(room);
    await room.publish(3, 4);
    expect(await readFrom(room, `last_message_id=${startId}`)).toEqual([3, 4, 99]);
  });

  it("a stream nobody has published to: begins before the first message ever, and resumes there", async () => {
    const room = newRoom(server);
    expect(await startOf(room)).toBe(ORIGIN_ID);
    expect(await startOf(room, `last_message_id=${ORIGIN_ID}`)).toBe(ORIGIN_ID);
    await room.publish(1, 2);
    expect(await readFrom(room, `last_message_id=${ORIGIN_ID}`)).toEqual([1, 2, 99]);
  });

  it("a stream nobody has published to: is not stored by those who read it", async () => {
    const room = newRoom(server);
    for (const query of ["", "last_message_id=start", "rewind=5", `last_message_id=${ORIGIN_ID}`]) {
      expect(await startOf(room, query)).toBe(ORIGIN_ID);
    }
    // A publish elsewhere has gone through the same log after all of them.
    await newRoom(server).publish(1);
    expect(readStored(server, room.path)).toBeUndefined();
  });

  it("410: an id from which everything was pruned", async () => {
    const room = newRoom(server, "fleeting");
    const [first, last] = await room.publish(1, 2);
    await untilStored(room, []);
    expect(await goneOf(room.url(`last_message_id=${first}`))).toMatchObject({ oldest: last, newest: last });
  });

  it("410: an id of which only the next message was pruned", async () => {
    const room = newRoom(server, "few");
    const [first, second, , , last] = await room.publish(1, 5);
    await untilStored(room, [3, 4, 5]);
    expect(await goneOf(room.url(`last_message_id=${first}`))).toMatchObject({
      oldest: second,
      newest: last,
    });
    expect(await readFrom(room, `last_message_id=${second}`)).toEqual([3, 4, 5, 99]);
  });

  it("410: an id ahead of the tail", async () => {
    const room = newRoom(server);
    const [first, last] = await room.publish(1, 2);
    for (const position of [1, 1_000, 10 ** 15]) {
      const ahead = shift(last, { position });
      expect(await goneOf(room.url(`last_message_id=${ahead}`))).toMatchObject({
        oldest: shift(first, { position: -1 }),
        newest: last,
      });
    }
  });

  it("410: an id of another stream", async () => {
    const [room, sibling, stranger] = [newRoom(server), newRoom(server), newRoom(server, "other")];
    await room.publish(1, 3);
    for (const another of [sibling, stranger]) {
      const [id] = await another.publish(1);
      await goneOf(room.url(`last_message_id=${id}`));
      const nobodys = newRoom(server);
      expect(await goneOf(nobodys.url(`last_message_id=${id}`))).toMatchObject({
        oldest: ORIGIN_ID,
        newest: ORIGIN_ID,
      });
    }
    await goneOf(room.url(`last_message_id=${shift(ORIGIN_ID, { position: 1 })}`));
  });

  it("410: an id of an earlier life, also of one that had read all of it", async () => {
    const room = newRoom(server, "dropped");
    const ids = await room.publish(1, 3);
    await untilDropped(room, ids[0]);
    for (const id of ids) await goneOf(room.url(`last_message_id=${id}`));
    const [next] = await room.publish(4);
    for (const id of ids) {
      expect(await goneOf(room.url(`last_message_id=${id}`))).toMatchObject({ newest: next });
    }
    expect(ids).not.toContain(next);
  });

  it("410: the origin once anything was pruned, or dropped", async () => {
    const [pruned, dropped] = [newRoom(server, "few"), newRoom(server, "dropped")];
    await pruned.publish(1, 4);
    const [id] = await dropped.publish(1);
    await Promise.all([untilStored(pruned, [2, 3, 4]), untilDropped(dropped, id)]);
    for (const room of [pruned, dropped]) await goneOf(room.url(`last_message_id=${ORIGIN_ID}`));
    await dropped.publish(2);
    await goneOf(dropped.url(`last_message_id=${ORIGIN_ID}`));
  });

  it("410: one user's shorter window, nobody else's", async () => {
    const room = newRoom(guarded.server, "guarded");
    const [first, last] = await room.publish(1, 2);
    const url = room.url(`last_message_id=${first}`);
    const short = { headers: bearer(guarded.tokenFor(() => ({ ok: true, replayWindowMs: 0 }))) };
    const long = { headers: bearer(guarded.tokenFor(() => ({ ok: true }))) };
    await vi.waitFor(
      async () => expect(await goneOf(url, short)).toMatchObject({ oldest: last, newest: last }),
      PATIENT,
    );
    const { log, close } = await connect(url, long);
    expect(await log.dataOf(1)).toEqual([2]);
    close();
  });

  it("410: names oldest and newest, of which the first replays all that is retained and the second nothing", async () => {
    const room = newRoom(server, "few");
    const [first] = await room.publish(1, 6);
    await untilStored(room, [4, 5, 6]);
    const { oldest, newest } = await goneOf(room.url(`last_message_id=${first}`));
    const { log, close } = await connect(room.url(`last_message_id=${String(oldest)}`));
    expect(await log.dataOf(3)).toEqual([4, 5, 6]);
    close();
    expect(await readFrom(room, `last_message_id=${String(newest)}`)).toEqual([99]);
  });

  it("no 410: the client's last message was pruned, nothing after it", async () => {
    const room = newRoom(server, "fleeting");
    const [, last] = await room.publish(1, 2);
    await untilStored(room, []);
    const { log, startId, close } = await connect(room.url(`last_message_id=${last}`));
    expect(startId).toBe(last);
    await room.publish(3);
    expect(await log.dataOf(1)).toEqual([3]);
    close();
  });

  it("410: decided by time before anything is pruned", async () => {
    const room = newRoom(guarded.server, "guarded");
    const [first, second] = await room.publish(1, 2);
    const short = { headers: bearer(guarded.tokenFor(() => ({ ok: true, replayWindowMs: 0 }))) };
    await vi.waitFor(
      async () =>
        expect(await goneOf(room.url(`last_message_id=${first}`), short)).toMatchObject({
          oldest: second,
          newest: second,
        }),
      PATIENT,
    );
    expect(await startOf(room, "last_message_id=start", short)).toBe(second);
    expect(await startOf(room, `last_message_id=${second}`, short)).toBe(second);
    expect(readStored(guarded.server, room.path)?.positions).toEqual([1, 2]);
  });

  it.each([
    ["last_message_id=nonsense", "`last_message_id` must be the id of a message or `start`, got `nonsense`"],
    ["last_message_id=1_2", "`last_message_id` must be the id of a message or `start`, got `1_2`"],
    ["last_message_id=START", "`last_message_id` must be the id of a message or `start`, got `START`"],
    ["rewind=soon", "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `soon`"],
    ["rewind=-1", "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `-1`"],
    ["rewind=1.5", "`rewind` must be a number of messages (`50`) or a duration (`10m`), got `1.5`"],
  ])("malformed id or rewind: refuses %s", async (query, text) => {
    const { number, code, fields } = await refusalOf(newRoom(server).url(query));
    expect({ number, code }).toEqual({ number: MALFORMED[name], code: "malformed" });
    expect(fields["detail"] ?? fields["message"]).toBe(text);
  });

  it.each(["last_message_id=start&last_message_id=start", "rewind=1&rewind=9", "token=a&token=b"])(
    "malformed id or rewind: refuses %s, of which nobody can know what is meant",
    async (query) => {
      const { code, fields } = await refusalOf(newRoom(server).url(query));
      expect(code).toBe("params_invalid");
      expect(fields["detail"] ?? fields["message"]).toContain("must be given once, got it twice");
    },
  );

  it("malformed id or rewind: refuses such a header by its own name", async () => {
    const { number, fields } = await refusalOf(newRoom(server).url(), {
      headers: { "last-event-id": "nonsense" },
    });
    expect(number).toBe(MALFORMED[name]);
    expect(fields["detail"] ?? fields["message"]).toContain("`Last-Event-ID` must be");
  });
});

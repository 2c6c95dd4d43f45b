import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import type { JsonBatch, LiveMode } from "@durable-streams/client";
import { createStateSchema, isChangeEvent, MaterializedState } from "@durable-streams/state";
import type { ChangeEvent, StateEvent } from "@durable-streams/state";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OPEN_STREAMS } from "../support/durable-streams.ts";
import { makeProject } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";

const BACKOFF = { initialDelay: 20, maxDelay: 200, multiplier: 1.5 };
const COUNT = 300;

let root: string;
let server: ServerProcess;
let url: (name: string) => string;

beforeEach(async () => {
  root = makeProject();
  server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
  const base = server.url;
  url = (name) => `${base}/ds/${name}`;
});
afterEach(async () => {
  await server.kill();
  rmSync(root, { recursive: true, force: true });
});

/** SIGKILL, and another process on the same store and port. */
async function killAndRestart(): Promise<void> {
  await server.kill();
  const port = Number(new URL(server.url).port);
  server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS, port });
}

describe("the protocol's client, through a broker that is killed half way (PROTOCOL.md, sections 5.2.1, 5.6 to 5.8)", () => {
  it.each(["long-poll", "sse"] as const)(
    "reads on with `live: %s`: each message once, in order",
    async (live) => {
      const handle = await DurableStream.create({ url: url("numbers"), contentType: "application/json" });
      const reading = readNumbers(live);
      for (let number = 0; number < COUNT; number += 1) {
        if (number === COUNT / 2) await killAndRestart();
        await handle.append(String(number));
      }
      expect(await reading).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    },
  );

  it("produces exactly once: an `IdempotentProducer` sends again what was under way", async () => {
    const handle = await DurableStream.create({ url: url("numbers"), contentType: "application/json" });
    const errors: Error[] = [];
    const producer = new IdempotentProducer(handle, "writer", {
      lingerMs: 0,
      maxBatchBytes: 64,
      maxInFlight: 5,
      onError: (error) => errors.push(error),
      // It does not come back from a refused connection by itself: a network that does is what it is given.
      fetch: untilAnswered,
    });
    let restarting: Promise<void> | undefined;
    for (let number = 0; number < COUNT; number += 1) {
      producer.append(JSON.stringify(number));
      if (number === COUNT / 2) restarting = killAndRestart();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await restarting;
    await producer.flush();
    await producer.close();
    expect(errors).toEqual([]);
    expect(await readNumbers("sse")).toEqual(Array.from({ length: COUNT }, (_, index) => index));
  });

  it("keeps a state of `@durable-streams/state`, which reads on through the restart", async () => {
    const schema = createStateSchema({
      users: { schema: anyRow(), type: "user", primaryKey: "id" },
    });
    const handle = await DurableStream.create({ url: url("state"), contentType: "application/json" });
    const state = new MaterializedState();
    const seen = follow<StateEvent>("state", {
      live: "sse",
      onBatch: ({ items, streamClosed }) => {
        for (const event of items) if (isChangeEvent(event)) state.apply(event);
        return streamClosed;
      },
    });
    const send = (event: ChangeEvent<object>) => handle.append(JSON.stringify(event));
    await send(schema.users.insert({ value: { id: "1", name: "Ada" } }));
    await send(schema.users.insert({ value: { id: "2", name: "Bob" } }));
    await killAndRestart();
    await send(schema.users.update({ value: { id: "1", name: "Ada L." } }));
    await send(schema.users.delete({ key: "2" }));
    await handle.close();
    await seen;
    expect([...state.getType("user").entries()]).toEqual([["1", { id: "1", name: "Ada L." }]]);
  });

  it("says of a stream what HEAD says, and that it is gone when it is", async () => {
    const handle = await DurableStream.create({ url: url("meta"), contentType: "text/plain" });
    await handle.append("abc");
    await killAndRestart();
    expect(await handle.head()).toMatchObject({
      exists: true,
      contentType: "text/plain",
      streamClosed: false,
    });
    await handle.close({ body: "!" });
    expect(await handle.head()).toMatchObject({ streamClosed: true });
    await handle.delete();
    expect(await handle.head()).toEqual({ exists: false });
  });
});

/** All numbers, as they come live. */
async function readNumbers(live: LiveMode): Promise<number[]> {
  const numbers: number[] = [];
  await follow<number>("numbers", { live, onBatch: ({ items }) => numbers.push(...items) >= COUNT });
  return numbers;
}

/** Reads until `onBatch` has enough. A connection that is cut off ends the client's reading; one goes on from its offset. */
async function follow<T>(
  name: string,
  { live, onBatch }: { live: LiveMode; onBatch: (batch: JsonBatch<T>) => boolean },
): Promise<void> {
  let offset = "-1";
  for (let isDone = false; !isDone;) {
    const response = await stream<T>({ url: url(name), live, offset, backoffOptions: BACKOFF });
    isDone = await new Promise<boolean>((resolve) => {
      response.closed.catch(() => resolve(false));
      response.subscribeJson((batch) => {
        offset = batch.offset;
        if (onBatch(batch) || batch.streamClosed) resolve(true);
      });
    });
    response.cancel();
  }
}

/** Sends a request until somebody answers. */
async function untilAnswered(...request: Parameters<typeof fetch>): Promise<Response> {
  for (;;) {
    try {
      return await fetch(...request);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A Standard Schema that takes every row. */
function anyRow() {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => ({ value: value as { id: string; name: string } }),
    },
  };
}

import { describe, expect, it, vi } from "vitest";
import { OPEN_STREAMS, streamsOf } from "../support/durable-streams.ts";
import type { StreamsClient } from "../support/durable-streams.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

interface WakeEvent {
  readonly subscription_id: string;
  readonly stream: string;
  readonly generation: number;
}

interface Scene extends AsyncDisposable {
  readonly server: TestServer;
  readonly streams: StreamsClient;
  /** The wakes that were written, once there are so many. */
  readonly wakes: (count: number) => Promise<WakeEvent[]>;
}

/** A server with the subscription `sub` to `events/*`, whose wakes are in `wake/pool`. */
async function startScene(leaseTtlMs = 60_000): Promise<Scene> {
  const server = await startTestServer({ durableStreams: OPEN_STREAMS });
  const streams = streamsOf(`${server.url}/ds`);
  await streams.create("wake/pool");
  const body = { type: "pull-wake", pattern: "events/*", wake_stream: "wake/pool", lease_ttl_ms: leaseTtlMs };
  expect(await streams.control("PUT", "subscriptions/sub", { body })).toMatchObject({ status: 201 });
  return {
    server,
    streams,
    wakes: (count) =>
      vi.waitFor(async () => {
        const events = (await streams.read("wake/pool")) as WakeEvent[];
        expect(events).toHaveLength(count);
        return events;
      }, PATIENT),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function claim(streams: StreamsClient, worker = "worker-1") {
  return streams.control("POST", "subscriptions/sub/claim", { body: { worker } });
}

describe("pull-wake (7.2)", () => {
  it("writes one wake for any number of appends until it is claimed and done", async () => {
    await using scene = await startScene();
    const { streams, wakes } = scene;
    await streams.create("events/a", "[1]");
    expect(await wakes(1)).toEqual([
      { type: "wake", subscription_id: "sub", stream: "events/a", generation: 1, ts: expect.any(Number) },
    ]);
    await streams.append("events/a", 2);
    const { body } = await claim(streams);
    await streams.append("events/a", 3);
    const { wake_id, generation, token } = body;
    const acks = body.streams.map(({ path, tail_offset }) => ({ stream: path, offset: tail_offset }));
    const done = { token, body: { wake_id, generation, acks, done: true } };
    expect(await streams.control("POST", "subscriptions/sub/ack", done)).toMatchObject({
      status: 200,
      body: { ok: true, next_wake: true },
    });
    expect((await wakes(2))[1]).toMatchObject({ generation: 2 });
  });

  it("wakes whoever follows the wake stream live", async () => {
    await using scene = await startScene();
    const { server, streams } = scene;
    const live = await fetch(`${server.url}/ds/wake/pool?offset=now&live=sse`);
    await streams.create("events/a", "[1]");
    let text = "";
    for await (const chunk of live.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes("wake")) break;
    }
    expect(text).toMatch(/^data:\[\{"type":"wake","subscription_id":"sub",.*\}\]$/m);
  });

  it("gives the work to one of two who claim at once", async () => {
    await using scene = await startScene();
    const { streams, wakes } = scene;
    await streams.create("events/a", "[1]");
    await wakes(1);
    const answers = await Promise.all(
      ["one", "two", "three", "four"].map((worker) => claim(streams, worker)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
    const holder = ["one", "two", "three", "four"][answers.findIndex(({ status }) => status === 200)];
    for (const { status, body } of answers) {
      if (status === 409)
        expect(body.error).toMatchObject({ code: "ALREADY_CLAIMED", current_holder: holder, generation: 1 });
    }
  });

  it("keeps a lease for as long as its worker gives a sign of life", async () => {
    await using scene = await startScene(1_000);
    const { streams, wakes } = scene;
    await streams.create("events/a", "[1]");
    const { body } = await claim(streams);
    const { wake_id, generation, token } = body;
    const heartbeat = { token, body: { wake_id, generation } };
    const extendedUntil = performance.now() + 2_500;
    // A machine that stops for a second loses the lease by right: then this says nothing, and begins anew.
    while (performance.now() < extendedUntil) {
      const { status } = await streams.control("POST", "subscriptions/sub/ack", heartbeat);
      if (status !== 200) return expect(status).toBe(409);
    }
    expect(await claim(streams, "other")).toMatchObject({ status: 409 });
    expect((await wakes(1))[0]?.generation).toBe(1);
  });

  it("wakes the others when a worker is silent, and fences it (7.3)", async () => {
    await using scene = await startScene(1_000);
    const { streams, wakes } = scene;
    await streams.create("events/a", "[1]");
    await wakes(1);
    const { body: late } = await claim(streams, "late");
    expect((await wakes(2))[1]).toMatchObject({ generation: 2 });
    expect(await claim(streams, "other")).toMatchObject({ status: 200, body: { generation: 2 } });
    const { wake_id, generation, token } = late;
    for (const action of ["ack", "release"]) {
      const answer = await streams.control("POST", `subscriptions/sub/${action}`, {
        token,
        body: { wake_id, generation },
      });
      expect(answer).toMatchObject({ status: 409, body: { error: { code: "FENCED" } } });
    }
  });

  it("writes another wake when the work is given back undone", async () => {
    await using scene = await startScene();
    const { streams, wakes } = scene;
    await streams.create("events/a", "[1]");
    await wakes(1);
    const { wake_id, generation, token } = (await claim(streams)).body;
    const release = { token, body: { wake_id, generation } };
    expect(await streams.control("POST", "subscriptions/sub/release", release)).toMatchObject({
      status: 204,
    });
    expect((await wakes(2))[1]).toMatchObject({ generation: 2 });
    expect(await claim(streams, "other")).toMatchObject({ status: 200 });
  });

  it("refuses a claim where nothing is pending", async () => {
    await using scene = await startScene();
    expect(await claim(scene.streams)).toMatchObject({
      status: 409,
      body: { error: { code: "NO_PENDING_WORK" } },
    });
  });

  it("wakes by a stream that is created after the work, and says meanwhile that it is missing", async () => {
    await using scene = await startScene();
    const { server, streams } = scene;
    const body = { type: "pull-wake", pattern: "jobs/*", wake_stream: "wake/late" };
    await streams.control("PUT", "subscriptions/late", { body });
    await streams.create("jobs/a", "[1]");
    await vi.waitFor(() => expect(server.logged).toMatchObject([{ event: "wake-stream-missing" }]), PATIENT);
    await streams.create("wake/late");
    await vi.waitFor(
      async () => expect(await streams.read("wake/late")).toMatchObject([{ stream: "jobs/a" }]),
      PATIENT,
    );
  });

  it("has paths in one form, however they are spelled (6.2)", async () => {
    await using scene = await startScene();
    const { streams } = scene;
    const body = {
      type: "pull-wake",
      streams: ["n%61me/é b"],
      pattern: "%C3%A9/*",
      wake_stream: "wake/pool",
    };
    await streams.control("PUT", "subscriptions/spelled", { body });
    await streams.create("%C3%A9/x%2Fy", "[1]");
    await streams.create("name/%C3%A9%20b", "[1]");
    const { body: state } = await streams.control("GET", "subscriptions/spelled");
    expect(state.streams.map(({ path }) => path)).toEqual(["%C3%A9/x%2Fy", "name/%C3%A9%20b"]);
    const path = encodeURIComponent("name/%C3%A9%20b");
    await streams.control("DELETE", `subscriptions/spelled/streams/${path}`);
    const { body: after } = await streams.control("GET", "subscriptions/spelled");
    expect(after.streams.map((stream) => stream.path)).toEqual(["%C3%A9/x%2Fy"]);
  });
});

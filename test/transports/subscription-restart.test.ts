import { describe, expect, it, vi } from "vitest";
import { OPEN_STREAMS, streamsOf } from "../support/durable-streams.ts";
import type { StreamsClient } from "../support/durable-streams.ts";
import { PATIENT } from "../support/patient.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { isSignedBy, startWebhookReceiver } from "../support/webhook-receiver.ts";
import type { WebhookReceiver } from "../support/webhook-receiver.ts";

interface Restartable extends AsyncDisposable {
  readonly streams: StreamsClient;
  /** Kills the server with SIGKILL and starts one on the same store and port, after what `meanwhile` does. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
}

async function startRestartable(): Promise<Restartable> {
  const root = temporaryFolder();
  let running: ServerProcess = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
  const port = Number(new URL(running.url).port);
  return {
    streams: streamsOf(`${running.url}/ds`),
    restart: async (meanwhile) => {
      await running.kill();
      await meanwhile?.();
      running = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS, port });
    },
    [Symbol.asyncDispose]: () => running.kill(),
  };
}

async function subscribe(streams: StreamsClient, fields: object): Promise<void> {
  const body = { pattern: "events/*", ...fields };
  const { status } = await streams.control("PUT", "subscriptions/sub", { body });
  expect(status).toBe(201);
}

function webhookTo({ url }: WebhookReceiver) {
  return { type: "webhook", webhook: { url } };
}

describe("a server that is killed keeps of its subscriptions", () => {
  it("configuration, cursors and the signing key (6.5, 7)", async () => {
    await using server = await startRestartable();
    const { streams } = server;
    await streams.create("events/old", "[1,2]");
    await subscribe(streams, { type: "pull-wake", wake_stream: "wake/pool", streams: ["manual/a"] });
    const before = [
      await streams.control("GET", "subscriptions/sub"),
      await streams.control("GET", "jwks.json"),
    ].map(({ body }) => body);
    await server.restart();
    const after = [
      await streams.control("GET", "subscriptions/sub"),
      await streams.control("GET", "jwks.json"),
    ].map(({ body }) => body);
    expect(after).toEqual(before);
  });

  it("a delivery that was under way: it is made again, of the same wake, with a key and a token that hold", async () => {
    await using receiver = await startWebhookReceiver({ answer: () => {} });
    await using server = await startRestartable();
    const { streams } = server;
    await subscribe(streams, webhookTo(receiver));
    await streams.create("events/a", "[1]");
    const first = await receiver.request(0);
    const { body: jwks } = await streams.control("GET", "jwks.json");
    await server.restart();
    const second = await receiver.request(1);
    expect(second.body).toMatchObject({ wake_id: first.body.wake_id, generation: 1 });
    expect(isSignedBy(second, jwks.keys)).toBe(true);
    const { wake_id, generation, callback_token: token, streams: told } = first.body;
    const acks = told.map(({ path, tail_offset }) => ({ stream: path, offset: tail_offset }));
    const options = { token, body: { wake_id, generation, acks, done: true } };
    expect(await streams.control("POST", "subscriptions/sub/callback", options)).toMatchObject({
      status: 200,
      body: { next_wake: false },
    });
  });

  it("the retry of one that had failed, and that it has", async () => {
    await using receiver = await startWebhookReceiver({
      answer: (response) => response.writeHead(500).end(),
    });
    await using server = await startRestartable();
    const { streams } = server;
    await subscribe(streams, webhookTo(receiver));
    await streams.create("events/a", "[1]");
    const statusOf = async (): Promise<string> =>
      (await streams.control("GET", "subscriptions/sub")).body.status;
    await vi.waitFor(async () => expect(await statusOf()).toBe("failed"), PATIENT);
    const count = receiver.received.length;
    await server.restart(async () => {
      receiver.answer = { done: true };
    });
    expect((await receiver.request(count)).body.subscription_id).toBe("sub");
    await vi.waitFor(async () => expect(await statusOf()).toBe("active"), PATIENT);
  });

  it("a lease with its holder, until its time is over", async () => {
    await using server = await startRestartable();
    const { streams } = server;
    await streams.create("wake/pool");
    await subscribe(streams, { type: "pull-wake", wake_stream: "wake/pool" });
    await streams.create("events/a", "[1]");
    const claim = (worker: string) =>
      streams.control("POST", "subscriptions/sub/claim", { body: { worker } });
    const { body: held } = await claim("one");
    await server.restart();
    expect(await claim("two")).toMatchObject({ status: 409, body: { error: { current_holder: "one" } } });
    const { token, wake_id, generation } = held;
    const release = { token, body: { wake_id, generation } };
    expect(await streams.control("POST", "subscriptions/sub/release", release)).toMatchObject({
      status: 204,
    });
  });

  it("the end of a lease that came while it was down: the work is offered again", async () => {
    await using server = await startRestartable();
    const { streams } = server;
    await streams.create("wake/pool");
    await subscribe(streams, { type: "pull-wake", wake_stream: "wake/pool", lease_ttl_ms: 1_000 });
    await streams.create("events/a", "[1]");
    const worker = { body: { worker: "one" } };
    await vi.waitFor(async () => expect(await streams.read("wake/pool")).toHaveLength(1), PATIENT);
    expect(await streams.control("POST", "subscriptions/sub/claim", worker)).toMatchObject({ status: 200 });
    await server.restart();
    await vi.waitFor(
      async () =>
        expect(await streams.read("wake/pool")).toMatchObject([{ generation: 1 }, { generation: 2 }]),
      PATIENT,
    );
  });
});

import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { PayloadMaker } from "../../bench/load/mark.ts";
import { Subscribers } from "../../bench/load/subscribers.ts";

const EXPECTED = { sent: [2, 2], timeoutMs: 20_000 };
const ALL = "0:0 1:0 0:1 1:1";

let server: WebSocketServer;
let subscribers: Subscribers;
let first: WebSocket;
let second: WebSocket;

beforeEach(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("expected a TCP port");
  const url = `http://127.0.0.1:${address.port}/`;
  subscribers = new Subscribers();
  await subscribers.open({ endpoint: { kind: "ws", url }, subscribers: 2, lanes: 2 });
  const [one, other] = server.clients;
  if (one === undefined || other === undefined) throw new Error("expected two connections");
  [first, second] = [one, other];
});

afterEach(async () => {
  subscribers.close();
  for (const peer of server.clients) peer.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** Sends messages given as `lane:number`. */
function send(peer: WebSocket, messages: string): void {
  const payloads = new PayloadMaker({ prefix: "", suffix: "" });
  for (const message of messages.split(" ")) {
    const [lane = 0, number = 0] = message.split(":").map(Number);
    peer.send(Buffer.from(payloads.make({ lane, number, atUs: 0 })), { binary: false });
  }
}

test("finds nothing wrong when every subscriber got every message", async () => {
  send(first, ALL);
  send(second, ALL);
  const { problems, orders } = await subscribers.finish(EXPECTED);
  expect(problems).toEqual([]);
  expect(orders).toHaveLength(1);
});

test("finds the one subscriber that a message did not reach", async () => {
  send(first, ALL);
  send(second, "0:0 0:1 1:1");
  const { problems } = await subscribers.finish(EXPECTED);
  expect(problems).toEqual(["expected message 0 of lane 1, got 1"]);
});

test("finds subscribers that read in different orders", async () => {
  send(first, ALL);
  send(second, "1:0 0:0 0:1 1:1");
  const { problems, orders } = await subscribers.finish(EXPECTED);
  expect(problems).toEqual([]);
  expect(orders).toHaveLength(2);
});

test("finds a connection that was lost", async () => {
  send(first, ALL);
  second.terminate();
  const { problems } = await subscribers.finish(EXPECTED);
  expect(problems[0]).toMatch(/closed|reset/i);
});

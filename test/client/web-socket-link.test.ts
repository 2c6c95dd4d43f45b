import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { listen, WAYS } from "../support/client.ts";
import { PATIENT } from "../support/patient.ts";

/** A server that says `ready` to each client, and does this with the first. */
async function startScripted(script: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  let isFirst = true;
  server.on("connection", (socket) => {
    tell(socket, { control: "ready", id: "0" });
    if (isFirst) script(socket);
    isFirst = false;
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const tell = (socket: WebSocket, frame: object): void => socket.send(JSON.stringify(frame));
const { options } = WAYS[0];

it("comes back as after any cut when the last that was said was of a refused refresh", async () => {
  const url = await startScripted((socket) => {
    tell(socket, { control: "error", code: "app_unavailable", afterMs: 3_600_000 });
    socket.send(JSON.stringify({ control: "pong" }), () => socket.terminate());
  });
  const { statuses } = listen("chat", { url, ...options });
  await vi.waitFor(() => expect(statuses).toEqual(["live", "connecting", "live"]), PATIENT);
});

it("tells the error that ends the connection, though a pong comes after it", async () => {
  const url = await startScripted((socket) => {
    tell(socket, { control: "error", code: "forbidden", message: "not you" });
    tell(socket, { control: "pong" });
    socket.close(4_403);
  });
  const { errors } = listen("chat", { url, ...options });
  await vi.waitFor(() => expect(errors).toEqual([{ code: "forbidden", status: 403 }]), PATIENT);
});

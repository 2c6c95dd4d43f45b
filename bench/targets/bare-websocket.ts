import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { closeServer, listenAnywhere } from "./http-server.ts";
import type { RunningTarget, Target } from "./target.ts";

/** A floor: `ws`, one `send` for each message and peer of the same path. Nothing is stored. */
export const bareWebSocket: Target = { name: "bare ws loop", start };

async function start(): Promise<RunningTarget> {
  const http = createServer();
  const webSockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  const rooms = new Map<string, Set<WebSocket>>();
  webSockets.on("connection", (webSocket, { url = "/" }) => {
    const room = rooms.get(url) ?? new Set();
    rooms.set(url, room.add(webSocket));
    webSocket.on("message", (message: Buffer) => {
      for (const peer of room) peer.send(message, { binary: false });
      webSocket.send('"ack"');
    });
    webSocket.on("close", () => room.delete(webSocket));
  });
  const port = await listenAnywhere(http);
  const url = `http://127.0.0.1:${port}`;
  return {
    endpoints: {
      publish: { kind: "ws", url: `${url}/bench` },
      publishOwn: { kind: "ws", url: `${url}/{lane}` },
      liveWs: { kind: "ws", url: `${url}/bench` },
    },
    close: async () => {
      for (const peer of webSockets.clients) peer.terminate();
      await closeServer(http);
    },
  };
}

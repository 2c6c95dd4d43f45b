import { createServer } from "node:http";
import { closeServer, listenAnywhere } from "./http-server.ts";
import type { RunningTarget, Target } from "./target.ts";

/** Longer than any run: subscribers of the bench do not answer pings. */
const PING_INTERVAL_MS = 300_000;
const JOINED = '40{"sid"';

/** Socket.IO over WebSocket, sending each message that it gets to everyone. Nothing is stored. */
export const socketIo: Target = { name: "socket.io", packageName: "socket.io", start };

async function start(): Promise<RunningTarget> {
  const { Server } = await import("socket.io");
  const http = createServer();
  const io = new Server(http, { transports: ["websocket"], pingInterval: PING_INTERVAL_MS });
  io.on("connection", (socket) => {
    socket.on("publish", (message: unknown, acknowledge: (text: string) => void) => {
      io.emit("message", message);
      acknowledge("ack");
    });
  });
  const port = await listenAnywhere(http);
  const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const joining = { kind: "ws", url, hello: "40", readyText: JOINED } as const;
  return {
    endpoints: {
      // An event with an acknowledgement: `42<id>["publish",<message>]`, answered `43<id>["ack"]`.
      publish: { ...joining, wrap: { prefix: '420["publish",', suffix: "]" } },
      liveWs: joining,
    },
    close: async () => {
      await io.close();
      await closeServer(http);
    },
  };
}

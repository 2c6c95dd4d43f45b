import type { Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import type { WebServer } from "./web-server.ts";

/** The first byte of a TLS record that begins a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;

interface Sniffed {
  readonly secure: WebServer;
  readonly plain: HttpServer;
  /** How long the first byte may take, in ms. */
  readonly timeoutMs: number;
}

/** Gives a socket to the server that speaks what its first byte begins. */
export function sniff(socket: Socket, { secure, plain, timeoutMs }: Sniffed): void {
  const expire = (): void => void socket.destroy();
  socket.setTimeout(timeoutMs, expire);
  socket.once("readable", () => {
    const head: Buffer | null = socket.read();
    if (head === null) return; // ended before it said anything
    socket.setTimeout(0);
    socket.off("timeout", expire);
    socket.unshift(head);
    (head[0] === TLS_HANDSHAKE ? secure : plain).emit("connection", socket);
  });
}

import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Connects to a server's port, and sends nothing. */
export async function dial({ url }: { readonly url: string }): Promise<Socket> {
  const socket = connectTcp(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** The same, with a TLS handshake that agrees on `protocol`. */
export async function dialTls(
  { url }: { readonly url: string },
  { ca, protocol = "http/1.1" }: { readonly ca: string; readonly protocol?: string },
): Promise<Socket> {
  const port = Number(new URL(url).port);
  const options = { port, host: "127.0.0.1", servername: "localhost", ca, ALPNProtocols: [protocol] };
  const socket = connectTls(options);
  await once(socket, "secureConnect");
  if (socket.alpnProtocol !== protocol) throw new Error(`got the protocol ${String(socket.alpnProtocol)}`);
  return socket;
}

/** Everything that comes until the server ends the connection. */
export async function readToEnd(socket: Socket): Promise<string> {
  let received = "";
  socket.on("data", (chunk) => (received += String(chunk)));
  socket.on("error", () => {});
  if (!socket.closed) await once(socket, "close");
  return received;
}

/** Sends a text and reads what comes, until it ends with or holds what is waited for, or the connection ends. */
export async function readUntil(socket: Socket, isEnough: (received: string) => boolean): Promise<string> {
  let received = "";
  socket.on("error", () => {});
  return new Promise((resolve) => {
    const take = (chunk: Buffer): void => {
      received += String(chunk);
      if (isEnough(received)) finish();
    };
    const finish = (): void => {
      socket.off("data", take).off("close", finish);
      resolve(received);
    };
    socket.on("data", take).on("close", finish);
  });
}

import { ServerResponse, STATUS_CODES } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Upgraded } from "./proxy-exchange.ts";

/** A client that waits to hear whether it may switch protocols. */
export interface Handshake {
  /** For a refusal, an answer like any other; the connection ends after it. */
  readonly response: ServerResponse;
  /** Tells the client that the app has switched; from then on passes every byte on, both ways. */
  readonly accept: (upgraded: Upgraded) => void;
}

/** Takes over the socket of a server's `upgrade` event. `head` is what the client has sent after its request. */
export function openHandshake(request: IncomingMessage, socket: Duplex, head: Buffer): Handshake {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once("finish", () => socket.end());
  if (head.length > 0) socket.unshift(head);

  // Node's server does nothing for the socket any more.
  const onDrain = (): void => void response.emit("drain");
  const onEnd = (): void => void socket.destroy(); // left before there was an answer
  socket.on("drain", onDrain).on("end", onEnd);
  socket.on("error", () => {}); // `close` follows

  return {
    response,
    accept({ statusCode, headers, socket: app }) {
      socket.off("drain", onDrain).off("end", onEnd);
      response.detachSocket(socket as Socket);
      socket.write(encodeHead(statusCode, headers), "latin1");
      socket.pipe(app).pipe(socket);
      socket.once("close", () => app.destroy());
      app.once("close", () => socket.destroy());
      app.on("error", () => {}); // `close` follows
    },
  };
}

function encodeHead(statusCode: number, headers: Upgraded["headers"]): string {
  const fields = Object.entries(headers).flatMap(([name, value = []]) =>
    [value].flat().map((line) => `${name}: ${line}\r\n`),
  );
  return `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ""}\r\n${fields.join("")}\r\n`;
}

import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { openConnection, requestHead } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { urlOf } from "./endpoint.ts";
import { encodeMaskedFrame } from "./websocket-frame.ts";

export interface ReaderOptions {
  readonly lane: number;
  readonly readBuffer: Buffer;
  /** Gets all bytes after the handshake, framing included. They are valid until it returns. */
  readonly onBytes: (bytes: Buffer) => void;
  readonly onLost: (reason: string) => void;
}

const READY_WITHIN_MS = 10_000;

/** Opens a WebSocket or an event stream and resolves when the target has said that it is live. */
export async function openReader(endpoint: Endpoint, options: ReaderOptions): Promise<Socket> {
  const { lane, readBuffer, onBytes, onLost } = options;
  const url = urlOf(endpoint, lane);
  const isWebSocket = endpoint.kind === "ws";
  const handshake = isWebSocket ? webSocketHeaders() : { accept: "text/event-stream" };
  const connection = await openConnection(url, {
    head: requestHead("GET", url, { ...endpoint.headers, ...handshake }),
    status: isWebSocket ? 101 : 200,
    readBuffer,
    onLost,
  });
  if (endpoint.hello !== undefined) connection.socket.write(encodeMaskedFrame(Buffer.from(endpoint.hello)));
  const { readyText } = endpoint;
  if (readyText === undefined) connection.read(onBytes);
  else {
    await new Promise<void>((resolve, reject) => {
      let heard = "";
      const timer = setTimeout(
        () => reject(new Error(`expected \`${readyText}\` of ${url.pathname}, got \`${heard}\``)),
        READY_WITHIN_MS,
      );
      connection.read((bytes) => {
        onBytes(bytes);
        heard += bytes.toString("latin1");
        if (!heard.includes(readyText)) return;
        clearTimeout(timer);
        connection.read(onBytes);
        resolve();
      });
    });
  }
  return connection.socket;
}

function webSocketHeaders(): Record<string, string> {
  return {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
}

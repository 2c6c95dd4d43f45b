import { connect } from "node:net";
import type { Socket } from "node:net";
import { messageOf } from "#src/shared/errors.ts";

/** A connection whose handshake is done. */
export interface Connection {
  readonly socket: Socket;
  /** Sends all bytes that come from now on somewhere. They are valid until it returns. */
  read(onBytes: (bytes: Buffer) => void): void;
}

export interface ConnectOptions {
  /** The request's head. */
  readonly head: string;
  /** Status that the answer must have. */
  readonly status: number;
  /** Bytes are read into it; connections of one process share it, for each read is over before the next. */
  readonly readBuffer: Buffer;
  /** Called once if the connection ends before `socket.destroy` was called. */
  readonly onLost: (reason: string) => void;
}

const END_OF_HEAD = "\r\n\r\n";

/** Connects, sends a request's head and waits for the head of its answer. */
export async function openConnection(url: URL, options: ConnectOptions): Promise<Connection> {
  const { head, status, readBuffer, onLost } = options;
  let onBytes: (bytes: Buffer) => void;
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        onBytes(readBuffer.subarray(0, length));
        return true;
      },
    },
  });
  const lost = new Promise<never>((_, reject) => {
    socket.on("error", reject);
    socket.on("end", () => reject(new Error("the target closed the connection")));
  });
  lost.catch((thrown: unknown) => onLost(messageOf(thrown)));
  let early = Buffer.alloc(0);
  const headRead = new Promise<string>((resolve) => {
    onBytes = (bytes) => {
      early = Buffer.concat([early, bytes]);
      const end = early.indexOf(END_OF_HEAD);
      if (end === -1) return;
      resolve(early.toString("latin1", 0, end));
      early = early.subarray(end + END_OF_HEAD.length);
      onBytes = (more) => {
        early = Buffer.concat([early, more]);
      };
    };
  });
  socket.write(head + END_OF_HEAD);
  const answer = await Promise.race([headRead, lost]);
  if (!answer.startsWith(`HTTP/1.1 ${status}`)) {
    socket.destroy();
    throw new Error(`expected status ${status} of ${url.pathname}, got ${answer.split("\r\n")[0]}`);
  }
  return {
    socket,
    read: (listener) => {
      onBytes = listener;
      const bytes = early;
      early = Buffer.alloc(0);
      if (bytes.length > 0) listener(bytes);
    },
  };
}

/** The head of a request, without the empty line that ends it. */
export function requestHead(
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>> = {},
): string {
  const fields = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${url.pathname}${url.search} HTTP/1.1`, ...fields].join("\r\n");
}

import type { WebSocket } from "ws";
import type { SocketSink } from "./socket-sink.ts";

interface PongOptions {
  /** Where the pongs go, as far as `unsentBytes` tells. */
  readonly sink: SocketSink;
  /** Aborts when the connection is over. */
  readonly signal: AbortSignal;
}

/**
 * Answers a peer's pings. One that does not read has its latest ping answered when it reads on, and no other, as the
 * standard allows: the pongs of a flood would pile up without bound (CWE-770).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
 */
export function answerPings(webSocket: WebSocket, { sink, signal }: PongOptions): void {
  let latest: Buffer | undefined;
  const answer = async (): Promise<void> => {
    await sink.drained(signal);
    if (latest !== undefined && webSocket.readyState === webSocket.OPEN) webSocket.pong(latest);
    latest = undefined;
  };
  webSocket.on("ping", (payload) => {
    if (webSocket.readyState !== webSocket.OPEN) return;
    if (sink.unsentBytes === 0) {
      webSocket.pong(payload);
      return;
    }
    const isWaiting = latest !== undefined;
    latest = Buffer.from(payload); // a view would keep the whole chunk that it came in
    if (!isWaiting) void answer();
  });
}

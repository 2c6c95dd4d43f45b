import { WebSocket } from "ws";

/**
 * A WebSocket that a broken frame does not close behind its owner's back.
 *
 * At a frame that breaks the protocol `ws` sends its close frame at once, and what the peer had sent before could
 * no longer be answered. Here the owner hears of the frame instead, and MUST close with the code that it is given.
 *
 * @see https://github.com/websockets/ws/blob/master/doc/ws.md#new-websocketserveroptions-callback its option `WebSocket`
 */
export class HeldWebSocket extends WebSocket {
  /** Called at a broken frame, the last that is read, with the code to close with: 1002, 1007, 1008 or 1009. */
  onBrokenFrame: ((closeCode: number) => void) | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    // `ws` itself closes with a code and no reason only then: a peer's close frame is answered with both, or neither.
    const isBrokenFrame = code !== undefined && reason === undefined;
    if (isBrokenFrame && this.onBrokenFrame !== undefined) this.onBrokenFrame(code);
    else super.close(code, reason);
  }
}

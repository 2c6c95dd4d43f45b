import type { WebSocket } from "ws";
import { ChanctlError } from "../shared/errors.ts";

/** Frames that may wait before the peer is made to wait: its socket is no longer read. */
const HIGH_WATER = 64;

/**
 * The text frames of a peer, in order, one at a time.
 *
 * A peer may speak before it is let in, and faster than it is served; what it sent waits here, and past a few
 * frames in its own socket.
 */
export class FrameInbox {
  readonly #webSocket: WebSocket;
  readonly #frames: string[] = [];
  #wake: (() => void) | undefined;
  #failure: ChanctlError | undefined;

  constructor(webSocket: WebSocket, signal: AbortSignal) {
    this.#webSocket = webSocket;
    webSocket.on("message", (data: Buffer, isBinary) => this.#push(data, isBinary));
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  #push(data: Buffer, isBinary: boolean): void {
    if (isBinary) this.#failure = new ChanctlError("binary_unsupported", "only text frames are understood");
    else this.#frames.push(data.toString("utf8"));
    if (this.#frames.length > HIGH_WATER) this.#webSocket.pause();
    this.#wake?.();
  }

  /**
   * The next frame; `undefined` once the signal has aborted.
   *
   * @throws {ChanctlError} `binary_unsupported`, after the frames before it were taken.
   */
  async take(signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        if (this.#webSocket.isPaused && this.#frames.length === 0) this.#webSocket.resume();
        return frame;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return undefined;
  }
}

import type { WebSocket } from "ws";
import { ChanctlError } from "../shared/errors.ts";

/** Frames that may wait before the peer is made to wait: its socket is no longer read. */
const MAX_FRAMES = 64;
/**
 * And how many characters in all: a token, which as part of a head has 16 KiB, and the first publishes after it.
 * Whoever waits to be let in could otherwise park megabytes (CWE-770).
 */
const MAX_CHARS = 32 * 1_024;

/**
 * The text frames of a peer, in order, one at a time.
 *
 * A peer may speak before it is let in, and faster than it is served; what it sent waits here, and past a few
 * frames in its own socket.
 */
export class FrameInbox {
  readonly #webSocket: WebSocket;
  readonly #frames: string[] = [];
  #chars = 0;
  #wake: (() => void) | undefined;
  #failure: ChanctlError | undefined;
  #isClosed = false;
  #isDrained = false;

  /** @param signal Aborts when the connection is over. */
  constructor(webSocket: WebSocket, signal: AbortSignal) {
    this.#webSocket = webSocket;
    webSocket.on("message", (data: Buffer, isBinary) => this.#push(data, isBinary));
    signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  #close(): void {
    this.#isClosed = true;
    this.#wake?.();
  }

  /** Takes nothing more: what came before is served, then `take` throws this. The first failure counts. */
  fail(failure: ChanctlError): void {
    this.#failure ??= failure;
    this.#wake?.();
  }

  /**
   * The frames that nobody has taken, those too that came since the signal has aborted; nothing is kept from now on.
   * Call it before the close frame: the peer's answer to that is read only from a socket that is not paused.
   */
  drain(): string[] {
    this.#isDrained = true;
    this.#webSocket.resume();
    return this.#frames.splice(0);
  }

  #push(data: Buffer, isBinary: boolean): void {
    if (this.#isDrained || this.#failure !== undefined) return;
    if (isBinary) this.fail(new ChanctlError("binary_unsupported", "only text frames are understood"));
    else {
      const frame = data.toString("utf8");
      this.#frames.push(frame);
      this.#chars += frame.length;
    }
    if (this.#frames.length > MAX_FRAMES || this.#chars > MAX_CHARS) this.#webSocket.pause();
    this.#wake?.();
  }

  /**
   * The next frame; `undefined` once the signal has aborted or the connection is over.
   *
   * @throws {ChanctlError} What it has failed with, `binary_unsupported` or another, after the frames before it were taken.
   */
  async take(signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted && !this.#isClosed) {
      const frame = this.#frames.shift();
      if (frame !== undefined) {
        this.#chars -= frame.length;
        if (this.#webSocket.isPaused && this.#frames.length === 0) this.#webSocket.resume();
        return frame;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await this.#news(signal);
    }
    return undefined;
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

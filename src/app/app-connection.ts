import { Client } from "undici";
import type { buildConnector, Dispatcher } from "undici";

/** How large the head of an answer of the app's may be. */
export const MAX_ANSWER_HEADER_BYTES = 65_536;

/** Opens sockets to the app. */
export type Connector = ReturnType<typeof buildConnector>;
type AppSocket = NonNullable<Parameters<Parameters<Connector>[1]>[1]>;

/** A connection to the app, for one request at a time. It opens with the first, and again whenever it has to. */
export class AppConnection {
  readonly #client: Client;
  #socket: AppSocket | undefined;
  #isHeld = false;
  /** It has served a request before: one that breaks now may have met the app closing it. */
  wasUsed = false;

  constructor(origin: URL, connect: Connector) {
    this.#client = new Client(origin, {
      connect: (options, callback) => {
        connect(options, (...result) => {
          const [, socket] = result;
          if (socket) this.#adopt(socket);
          callback(...result);
        });
      },
      headersTimeout: 0, // a long poll, an event stream: how long an answer takes is the app's affair
      bodyTimeout: 0,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
    });
  }

  /** Sends a request; `handler` hears of everything else, errors too. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler);
  }

  /** Reads no more from the app, which then has to wait. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Reads on. */
  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    // Not at once: we may be within undici's parser, which cannot be entered twice.
    process.nextTick(() => this.#socket?.emit("readable"));
  }

  /** Closes it; a request under way fails. */
  async destroy(): Promise<void> {
    await this.#client.destroy();
  }

  /**
   * Puts the pause below undici. Its own, `controller.pause()`, throws where nobody can catch it if an app
   * that answered `Connection: close` closes meanwhile. Mended in undici 8, which needs Node 22.
   *
   * @see https://github.com/nodejs/undici/issues/5360
   */
  #adopt(socket: AppSocket): void {
    this.#socket = socket;
    const read = socket.read.bind(socket);
    socket.read = (size) => (this.#isHeld && this.#socket === socket ? null : read(size));
  }
}

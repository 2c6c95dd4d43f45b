import type { Message } from "#src/protocol/message.ts";

/** How a subscriber connects: the behaviour suite runs over each. */
export interface SubscriberClient {
  readonly name: "SSE" | "WebSocket";
  /**
   * Connects to `<server>/channels/<name>?<params>`, an `http:` or `https:` URL for either transport.
   *
   * @throws {Refusal}
   */
  readonly connect: (url: string, options?: ConnectOptions) => Promise<Subscriber>;
}

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The CA to trust, in PEM. */
  readonly ca?: string;
  /** Leaves, also before the server has answered. */
  readonly signal?: AbortSignal;
}

/** One connection, from its first block or frame on. */
export interface Subscriber {
  /** Where reading starts, as the server says first. */
  readonly startId: string;
  readonly log: ReceivedLog;
  /** Stops taking bytes from the socket. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Leaves, as a client does that goes away. */
  readonly close: () => void;
}

/** One message as it came. */
export interface Received {
  readonly id: string;
  /** Its JSON text, byte by byte. */
  readonly json: string;
}

/** How the server ended a connection. */
export interface Ending {
  /** Why, in the server's words; `undefined` if it said nothing. */
  readonly title: string | undefined;
  /** When to come back. */
  readonly afterMs: number | undefined;
  /** The WebSocket close code. */
  readonly closeCode?: number;
}

/** A connection that was not granted: an HTTP status, or a close code. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  /** The HTTP status, or the WebSocket close code. */
  readonly number: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(number: number, fields: Readonly<Record<string, unknown>>) {
    super(`refused with ${number}: ${JSON.stringify(fields)}`);
    this.code = String(fields["code"]);
    this.number = number;
    this.fields = fields;
  }
}

/** What a connection has received, and waiting for more of it. */
export class ReceivedLog {
  readonly received: Received[] = [];
  /** Resolves when the connection has ended. */
  readonly ended: Promise<Ending>;
  #end: (ending: Ending) => void = () => {};
  #ending: Ending | undefined;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  push(message: Received): void {
    this.received.push(message);
    this.#wake();
  }

  end(ending: Ending): void {
    this.#ending ??= ending;
    this.#end(this.#ending);
    this.#wake();
  }

  /** All messages, once there are this many. Rejects if the connection ends before. */
  async waitFor(count: number): Promise<readonly Received[]> {
    while (this.received.length < count) {
      if (this.#ending !== undefined) {
        const { title, closeCode } = this.#ending;
        throw new Error(`ended (${closeCode}, ${title}) after ${this.received.length} of ${count} messages`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.received;
  }

  /** The `data` of all messages, once there are this many. */
  async dataOf(count: number): Promise<unknown[]> {
    const messages = await this.waitFor(count);
    return messages.map(({ json }) => (JSON.parse(json) as Message).data);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

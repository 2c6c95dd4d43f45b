import { parseOffset } from "#src/protocol/offset.ts";
import type { Ending, Received, Subscriber, SubscriberClient } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";
import { bearer } from "../support/guarded-server.ts";

/** A client that follows a stream over as many connections as it takes, each from the id that it has read last. */
export class Follower {
  readonly name: string;
  readonly #client: SubscriberClient;
  /** What came on connections that are over. */
  readonly #earlier: Received[] = [];
  #subscriber: Subscriber | undefined;
  #startId: string | undefined;
  /** How the server has ended its connections, if it has. */
  readonly endings: Ending[] = [];

  /** @param name who it is: its token. */
  constructor(name: string, client: SubscriberClient) {
    this.name = name;
    this.#client = client;
  }

  /** Connects, with the id that was read last where there is one. Rejects with the refusal. */
  async connect(serverUrl: string): Promise<void> {
    const lastId = this.#lastId;
    const start = lastId === undefined ? "" : `?last_message_id=${lastId}`;
    const subscriber = await this.#client.connect(`${serverUrl}/channels/chat${start}`, {
      headers: bearer(this.name),
    });
    this.#startId ??= subscriber.startId;
    this.#subscriber = subscriber;
    void subscriber.log.ended.then((ending) => {
      if (this.#subscriber === subscriber) this.endings.push(ending);
    });
  }

  /** Ends the connection at once, if it still is one, and keeps what has come. */
  cut(): void {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    subscriber?.close();
    this.#earlier.push(...(subscriber?.log.received ?? []));
  }

  /** Waits until it has read up to the message with this id. */
  async reach(id: string): Promise<void> {
    const wanted = positionOf(id) - positionOf(this.#startId ?? id) - this.#earlier.length;
    await this.#subscriber?.log.waitFor(wanted);
  }

  /**
   * Compares what it has with the whole stream.
   *
   * @returns What is missing, doubled or out of order first; `undefined` if it has each message since its start
   *   once, in order.
   */
  findFault(stream: readonly Received[]): string | undefined {
    const received = [...this.#earlier, ...(this.#subscriber?.log.received ?? [])];
    const expected = stream.slice(positionOf(this.#startId ?? ""));
    for (let index = 0; index < Math.max(received.length, expected.length); index += 1) {
      const [got, wanted] = [received[index], expected[index]];
      if (got?.json === wanted?.json) continue;
      return `${this.name} (${this.#client.name}): expected ${wanted?.id} as message ${index}, got ${got?.id}`;
    }
    return undefined;
  }

  get #lastId(): string | undefined {
    return this.#earlier.at(-1)?.id ?? this.#startId;
  }
}

/** Clients of distinct names, half over SSE and half over WebSocket. */
export function makeFollowers(name: string, count: number): Follower[] {
  return Array.from(
    { length: count },
    (_, index) => new Follower(`${name}-${index}`, index % 2 === 0 ? sseClient : webSocketClient),
  );
}

function positionOf(id: string): number {
  return parseOffset(id)?.position ?? 0;
}

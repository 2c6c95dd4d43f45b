import { setTimeout as sleep } from "node:timers/promises";
import { bearer } from "../support/guarded-server.ts";
import { jsonBody } from "../support/server.ts";
import type { Received } from "../support/subscriber-client.ts";
import { Refusal } from "../support/subscriber-client.ts";
import type { WebSocketSubscriber } from "../support/subscriber-client-websocket.ts";

/** Publishes a number. Resolves with its id. @throws {Refusal} */
export type Publish = (number: number) => Promise<string>;

/** Publishes by POST. @param serverUrl of the public listener, or of the internal one with its token. */
export function byPost(serverUrl: string, token: string): Publish {
  return async (number) => {
    const init = jsonBody({ type: "number", data: number }, bearer(token));
    const response = await fetch(`${serverUrl}/channels/chat/messages`, init);
    const body = (await response.json()) as Record<string, unknown>;
    const { ids } = body as { ids?: string[] };
    if (!response.ok || ids?.[0] === undefined) throw new Refusal(response.status, body);
    return ids[0];
  };
}

/** Publishes as a frame of a WebSocket connection. */
export function byFrame({ send, control }: WebSocketSubscriber): Publish {
  return async (number) => {
    send({ type: "number", data: number, ref: number });
    const answer = await control({ ref: number });
    if (answer.control !== "ack") throw new Refusal(0, answer);
    return String(answer["id"]);
  };
}

/** Publishes numbers at a steady rate, however long the answers take, by each way in turn; keeps the answers. */
export class Publishers {
  /** The numbers that were acknowledged, by id. */
  readonly acknowledged: Map<string, number> = new Map();
  /** The codes of those that were refused. */
  readonly refused: string[] = [];
  /** The newest id of all. */
  newest = "";
  #next = 0;
  readonly #stopped = new AbortController();
  readonly #answers: Promise<void>[] = [];
  readonly #publishing: Promise<void>;

  constructor(ways: readonly Publish[], { perSec }: { perSec: number }) {
    this.#publishing = this.#run(ways, perSec);
  }

  async #run(ways: readonly Publish[], perSec: number): Promise<void> {
    const startedAt = performance.now();
    const { signal } = this.#stopped;
    for (let turn = 0; ; turn += 1) {
      const dueMs = startedAt + (turn / perSec) * 1_000 - performance.now();
      if (dueMs > 0) await sleep(dueMs, undefined, { signal }).catch(() => {});
      const way = ways[turn % ways.length];
      if (way === undefined || signal.aborted) return;
      this.#answers.push(this.publish(way));
    }
  }

  /** Publishes one more number. Resolves when it is answered, either way. */
  async publish(way: Publish): Promise<void> {
    const number = this.#next++;
    try {
      const id = await way(number);
      this.acknowledged.set(id, number);
      if (id > this.newest) this.newest = id;
    } catch (error) {
      this.refused.push(error instanceof Refusal ? error.code : reasonOf(error));
    }
  }

  /** Stops, and waits until everything that was published is answered. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#publishing;
    await Promise.all(this.#answers);
  }

  /**
   * Compares the answers with the whole stream, once stopped.
   *
   * @returns What was acknowledged and is not stored under its id, or is stored and was not acknowledged; `undefined`
   *   if nothing.
   */
  findFault(stream: readonly Received[]): string | undefined {
    const stored = new Map(stream.map(({ id, json }) => [id, (JSON.parse(json) as { data: number }).data]));
    for (const [id, number] of this.acknowledged) {
      if (stored.get(id) !== number)
        return `${id} was acknowledged for ${number}, and holds ${stored.get(id)}`;
    }
    for (const [id, number] of stored) {
      if (this.acknowledged.get(id) === number) continue;
      return `${id} holds ${number}, and was acknowledged for ${this.acknowledged.get(id)}`;
    }
    return undefined;
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${String(error)}${cause}`;
}

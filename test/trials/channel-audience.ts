import { setTimeout as sleep } from "node:timers/promises";

import { PATIENT } from "../support/patient.ts";
import type { Ending, Subscriber } from "../support/subscriber-client.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { webSocketClient } from "../support/subscriber-client-websocket.ts";
import type { Edit } from "./channel-edits.ts";
import { NAMES } from "./channel-files.ts";
import type { LogLine } from "./edited-project.ts";

/** A channel as the server's own list has it. */
export interface ListedChannel {
  readonly name: string;
  readonly file: string;
  readonly transport?: "ws" | "sse";
  readonly public?: boolean;
  readonly paramsSchema?: unknown;
  readonly lifecycle?: unknown;
  readonly error?: string;
}

/** A connection, and whether it still is one. */
export interface Listener {
  readonly channel: string;
  readonly client: string;
  readonly subscriber: Subscriber;
  ending?: Ending;
}

/** An edit, and what the server made of it. */
interface Edited {
  readonly before: readonly ListedChannel[];
  readonly after: readonly ListedChannel[];
  readonly edit: Pick<Edit, "title" | "reach">;
  /** What the server has said meanwhile. */
  readonly events: readonly Pick<LogLine, "channel" | "change">[];
}

/** What becomes of a channel, and what its connections are told. */
const ENDINGS: Readonly<Record<string, string>> = {
  removed: "no such channel",
  changed: "the channel has changed",
};
const CLOSE_CODES: Readonly<Record<string, number>> = {
  "no such channel": 4404,
  "the channel has changed": 1012,
};

/** Keeps two connections to each edited channel that lets anybody in. */
export class Audience {
  readonly #serverUrl: string;
  #listeners: Listener[] = [];

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl;
  }

  get listeners(): readonly Listener[] {
    return this.#listeners;
  }

  /** Connects where nobody is connected. */
  async fill(channels: readonly ListedChannel[]): Promise<void> {
    this.#listeners = this.#listeners.filter(({ ending }) => ending === undefined);
    for (const { name, transport, public: isPublic } of channels) {
      if (transport === undefined || isPublic !== true || !isEdited(name)) continue;
      const clients = transport === "ws" ? [sseClient, webSocketClient] : [sseClient, sseClient];
      for (let count = this.of(name).length; count < clients.length; count += 1)
        await this.#connect(name, clients[count] ?? sseClient);
    }
  }

  /** Those who are connected to a channel now. */
  of(name: string): Listener[] {
    return this.#listeners.filter(({ channel, ending }) => channel === name && ending === undefined);
  }

  /**
   * Waits for the connections that must end, and looks for one that should not have.
   *
   * @returns What is wrong; `undefined` if nothing.
   */
  async findFault({ before, after, edit, events }: Edited): Promise<string | undefined> {
    for (const listener of this.#listeners) {
      const { channel, client, subscriber } = listener;
      const old = termsOf(before.find(({ name }) => name === channel));
      const now = termsOf(after.find(({ name }) => name === channel));
      const mustEnd = old !== now;
      if (mustEnd)
        await Promise.race([subscriber.log.ended, sleep(PATIENT.timeout, undefined, { ref: false })]);
      await Promise.resolve(); // `ending` is set by the same promise
      const { ending } = listener;
      if (ending === undefined) {
        if (mustEnd) return `${edit.title}: ${channel} over ${client} did not end: ${old} → ${now}`;
        continue;
      }
      const allowed = new Set(
        edit.reach === "mixed" || edit.reach === "folder"
          ? events.filter((event) => event.channel === channel).map(({ change }) => ENDINGS[change ?? ""])
          : [old === now ? undefined : now === undefined ? ENDINGS["removed"] : ENDINGS["changed"]],
      );
      const { title, closeCode } = ending;
      const code = CLOSE_CODES[title ?? ""];
      const isRightCode = client === "SSE" ? closeCode === undefined : closeCode === code;
      if (allowed.has(title) && code !== undefined && isRightCode) continue;
      return `${edit.title}: ${channel} over ${client} ended with ${closeCode}, ${title}: ${old} → ${now}`;
    }
    return undefined;
  }

  close(): void {
    for (const { subscriber } of this.#listeners) subscriber.close();
  }

  async #connect(channel: string, client: typeof sseClient): Promise<void> {
    const subscriber = await client.connect(`${this.#serverUrl}/channels/${channel}`);
    const listener: Listener = { channel, client: client.name, subscriber };
    void subscriber.log.ended.then((ending) => (listener.ending = ending));
    this.#listeners.push(listener);
  }
}

function isEdited(name: string): boolean {
  return NAMES.some((known) => known === name);
}

/** What a channel's connections were granted by: with another of these, they must come back and be asked again. */
function termsOf(channel: ListedChannel | undefined): string | undefined {
  if (channel?.transport === undefined) return undefined;
  return JSON.stringify([channel.transport, channel.public, channel.paramsSchema]);
}

import { randomUUID } from "node:crypto";
import type { TestServer } from "./server.ts";

/** A stream of a channel with a param `room`, which no other test uses. */
export interface Room {
  /** The channel with its params: `chat?room=…`. */
  readonly name: string;
  /** The path of its stream: `chat/room=…`. */
  readonly path: string;
  /** Where to subscribe, with more of a query: `last_message_id=start`. */
  url(query?: string): string;
  /** Publishes the numbers from `first` to `last`, each as a message. Returns their ids. */
  publish(first: number, last?: number): Promise<string[]>;
}

/** Makes a room of a channel. */
export function newRoom(server: TestServer, channel = "chat"): Room {
  const room = randomUUID();
  const name = `${channel}?room=${room}`;
  return {
    name,
    path: `${channel}/room=${room}`,
    url: (query) => `${server.url}/channels/${name}${query === undefined ? "" : `&${query}`}`,
    publish: (first, last = first) =>
      server.publish(
        name,
        numbers(first, last).map((data) => ({ type: "number", data })),
      ),
  };
}

/** The numbers from `first` to `last`. */
function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

import { openSse } from "./subscriber-client-sse.ts";
import type { ConnectOptions, Subscriber, SubscriberClient } from "./subscriber-client.ts";
import { openWebSocket } from "./subscriber-client-websocket.ts";

/** A connection whose heartbeats are counted: empty comments, or pings. */
export interface HeartbeatSubscriber extends Subscriber {
  readonly heartbeats: () => number;
}

/** Subscribes over the transport of this name, and counts heartbeats. */
export async function openCounting(
  { name }: Pick<SubscriberClient, "name">,
  { url, ...options }: ConnectOptions & { readonly url: string },
): Promise<HeartbeatSubscriber> {
  if (name === "SSE") {
    const sse = await openSse(url, options);
    return { ...sse, heartbeats: () => sse.comments.filter((text) => text === "").length };
  }
  const webSocket = await openWebSocket(url, options);
  let pings = 0;
  webSocket.webSocket.on("ping", () => (pings += 1));
  return { ...webSocket, heartbeats: () => pings };
}

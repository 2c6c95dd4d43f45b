import { post } from "./post.ts";
import { Refusal } from "./subscriber-client.ts";
import { openSse } from "./subscriber-client-sse.ts";
import { openWebSocket } from "./subscriber-client-websocket.ts";

/** The ways to a channel: two to read it, and the POST that publishes. */
export const PLACES = ["SSE", "WebSocket", "HTTP"] as const;

export type Place = (typeof PLACES)[number];

interface Attempt {
  readonly headers?: Readonly<Record<string, string>>;
  /** What is POSTed. @default a message that most channels take */
  readonly body?: unknown;
}

/** Comes to `chat?room=a` and must not be let in. */
export async function refusalOf(
  place: Place,
  server: { readonly url: string },
  { channel, headers = {}, body = { type: "m", data: 1 } }: Attempt & { readonly channel: string },
): Promise<Refusal> {
  const outcome = await attempt();
  if (outcome instanceof Refusal) return outcome;
  throw new Error(`expected a refusal of ${channel} over ${place}, got ${String(outcome)}`);

  async function attempt(): Promise<unknown> {
    if (place === "HTTP") {
      const { status, headers: answered, fields } = await post(server, channel, { body, headers });
      return status < 400 ? status : new Refusal(status, { ...fields, retryAfter: answered["retry-after"] });
    }
    const open = place === "SSE" ? openSse : openWebSocket;
    return open(`${server.url}/channels/${channel}`, { headers }).catch((error: unknown) => error);
  }
}

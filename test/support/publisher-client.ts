import { bearer } from "./guarded-server.ts";
import { jsonBody, toMessagesPath } from "./server.ts";
import { openWebSocket } from "./subscriber-client-websocket.ts";

/** What a publish came to: its id, or why it was refused. */
export interface PublishAnswer {
  readonly id?: string;
  readonly code?: string;
  readonly text?: string;
  readonly fix?: string;
  /** Over HTTP. */
  readonly status?: number;
}

export interface ClientPublish {
  /** The name and the params: `chat?room=a`. */
  readonly channel: string;
  /** What is sent, as JSON or as text. */
  readonly body: object | string;
  readonly key?: string;
  /** Shown as `Authorization: Bearer`. */
  readonly token?: string;
}

/** How a client publishes: the suites run over each. */
export interface PublisherClient {
  readonly name: "WebSocket" | "HTTP";
  /** Publishes one message on a connection of its own. */
  readonly publish: (url: string, publish: ClientPublish) => Promise<PublishAnswer>;
}

/** Publishes with a POST. */
export const httpPublisher: PublisherClient = {
  name: "HTTP",
  publish: async (url, { channel, body, key, token }) => {
    const headers = {
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(token === undefined ? {} : bearer(token)),
    };
    const response = await fetch(url + toMessagesPath(channel), jsonBody(body, headers));
    const answer = (await response.json()) as { ids?: string[]; code: string; detail: string; fix?: string };
    if (answer.ids?.[0] !== undefined) return { id: answer.ids[0] };
    const { code, detail, fix } = answer;
    return { status: response.status, code, text: detail, ...(fix === undefined ? {} : { fix }) };
  },
};

/** Publishes with a frame. A connection that is refused throws the `Refusal`. */
export const webSocketPublisher: PublisherClient = {
  name: "WebSocket",
  publish: async (url, { channel, body, key, token }) => {
    const headers = token === undefined ? {} : bearer(token);
    const { send, control, close } = await openWebSocket(`${url}/channels/${channel}`, { headers });
    const isText = typeof body === "string";
    send(isText ? body : { ...body, ref: "it", ...(key === undefined ? {} : { key }) });
    const answer = await (isText ? control({ control: "error" }) : control({ ref: "it" }));
    close();
    if (answer.control === "ack") return { id: String(answer["id"]) };
    const { code, message, fix } = answer as unknown as { code: string; message: string; fix?: string };
    return { code, text: message, ...(fix === undefined ? {} : { fix }) };
  },
};

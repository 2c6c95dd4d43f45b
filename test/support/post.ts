import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { jsonBody, toMessagesPath } from "./server.ts";

/** What a POST was answered. */
export interface PostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of the JSON body. */
  readonly fields: Readonly<Record<string, unknown>>;
}

interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** @default a connection of its own */
  readonly agent?: Agent;
}

/** Publishes as a client: to `chat?room=a`, by POST. Unlike `fetch` it sends any header. */
export async function post(
  server: { readonly url: string },
  channel: string,
  { body, headers = {}, agent }: PostOptions & { readonly body: unknown },
): Promise<PostAnswer> {
  const json = jsonBody(body, headers);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method: json.method, headers: json.headers, agent: agent ?? false };
    httpRequest(server.url + toMessagesPath(channel), options)
      .on("response", resolve)
      .on("error", reject)
      .end(json.body);
  });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  const fields = JSON.parse(text) as Record<string, unknown>;
  return { status: response.statusCode ?? 0, headers: response.headers, fields };
}

/** A client that publishes over one connection of HTTP/1.1. */
interface Publisher {
  readonly post: (body: unknown) => Promise<PostAnswer>;
  readonly close: () => void;
}

/** Opens a client whose rate is its own: the server counts it for each connection. */
export function openPublisher(server: { readonly url: string }, channel: string): Publisher {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { post: (body) => post(server, channel, { body, agent }), close: () => agent.destroy() };
}

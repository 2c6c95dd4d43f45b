import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { jsonBody } from "./server.ts";
import { Refusal } from "./subscriber-client.ts";
import type { ConnectOptions } from "./subscriber-client.ts";
import { openSse } from "./subscriber-client-sse.ts";
import { openWebSocket } from "./subscriber-client-websocket.ts";

/** A way to a channel: two to read it, and the POST that publishes. */
export interface Caller {
  readonly name: "SSE" | "WebSocket" | "HTTP";
  /** What the app is told of it. */
  readonly asked: { readonly operation: string; readonly transport: string };
  /**
   * Comes to `<server>/channels/<name>?<params>`, and is let in.
   *
   * @throws {Refusal}
   */
  readonly come: (url: string, options?: ConnectOptions) => Promise<{ readonly close: () => void }>;
  /** The number of a refusal that is this HTTP status over HTTP. */
  readonly numberOf: (status: number) => number;
}

/** Publishes a message by POST, with any headers. @throws {Refusal} */
async function post(url: string, { headers, signal }: ConnectOptions = {}): Promise<{ close: () => void }> {
  const { method, headers: content, body } = jsonBody({ type: "message", data: 1 });
  const { href } = new URL(url.replace(/(\?|$)/, "/messages$1"));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method, headers: { ...content, ...headers }, agent: false } as const;
    httpRequest(href, signal === undefined ? options : { ...options, signal })
      .on("response", resolve)
      .on("error", reject)
      .end(body);
  });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  const fields = JSON.parse(text) as Record<string, unknown>;
  const retryAfter = response.headers["retry-after"];
  if (response.statusCode !== 200) throw new Refusal(response.statusCode ?? 0, { ...fields, retryAfter });
  return { close: () => {} };
}

const isStatus = (status: number): number => status;

/** The three ways, for the rows that hold for all of them. */
export const CALLERS: readonly Caller[] = [
  { name: "SSE", asked: { operation: "subscribe", transport: "sse" }, come: openSse, numberOf: isStatus },
  {
    name: "WebSocket",
    asked: { operation: "subscribe", transport: "ws" },
    come: openWebSocket,
    numberOf: (status) => 4_000 + status,
  },
  { name: "HTTP", asked: { operation: "publish", transport: "http" }, come: post, numberOf: isStatus },
];

import { get as httpGet } from "node:http";
import type { IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import type { Readable } from "node:stream";
import { SseParser } from "#src/protocol/sse-parser.ts";
import type { SseItem } from "#src/protocol/sse-parser.ts";
import { ReceivedLog, Refusal } from "./subscriber-client.ts";
import type { ConnectOptions, Subscriber, SubscriberClient } from "./subscriber-client.ts";

/** A connection that reads Server-Sent Events, and what only they have. */
export interface SseSubscriber extends Subscriber {
  readonly headers: IncomingMessage["headers"];
  /** All bytes of the body so far, as text. */
  readonly text: () => string;
  /** Comments, in order; a keepalive is an empty one. */
  readonly comments: readonly string[];
}

/** Subscribes by Server-Sent Events. @throws {Refusal} */
export async function openSse(
  url: string,
  { headers = {}, ca, signal }: ConnectOptions = {},
): Promise<SseSubscriber> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = {
      headers,
      agent: false,
      ...(ca === undefined ? {} : { ca }),
      ...(signal === undefined ? {} : { signal }),
    } as const;
    const request = url.startsWith("https:")
      ? httpsGet(url, options, resolve)
      : httpGet(url, options, resolve);
    request.once("error", reject);
  });
  response.setEncoding("utf8");
  if (response.statusCode !== 200) throw await toRefusal(response);
  return readEvents(response, response.headers);
}

/** Server-Sent Events, for the suites that run over both transports. */
export const sseClient: SubscriberClient = { name: "SSE", connect: openSse };

async function toRefusal(response: IncomingMessage): Promise<Refusal> {
  let body = "";
  for await (const text of response) body += String(text);
  return new Refusal(response.statusCode ?? 0, JSON.parse(body) as Record<string, unknown>);
}

/** Reads a body as Server-Sent Events. Resolves once its first position has come. */
export function readEvents(body: Readable, headers: IncomingMessage["headers"]): Promise<SseSubscriber> {
  const log = new ReceivedLog();
  const parser = new SseParser();
  const comments: string[] = [];
  const retries: number[] = [];
  let text = "";
  return new Promise((resolve) => {
    const subscriber = (startId: string): SseSubscriber => ({
      startId,
      log,
      headers,
      text: () => text,
      comments,
      pause: () => void body.pause(),
      resume: () => void body.resume(),
      close: () => void body.destroy(),
    });
    const take = (item: SseItem): void => {
      if (item.kind === "position") resolve(subscriber(item.id));
      else if (item.kind === "retry") retries.push(item.retryMs);
      else if (item.kind === "comment") comments.push(item.text);
      else log.push(toReceived(item));
    };
    body.on("data", (chunk: string) => {
      text += chunk;
      for (const item of parser.push(chunk)) take(item);
    });
    body.on("error", () => {}); // a connection that is cut off ends like any other
    body.once("close", () => {
      log.end({ title: comments.findLast(Boolean), afterMs: retries[1] });
    });
  });
}

function toReceived({ type, data, id }: Extract<SseItem, { kind: "event" }>): { id: string; json: string } {
  const { id: idInData } = JSON.parse(data) as { id: string };
  if (type !== "message" || id !== idInData) throw new Error(`the block ${id} of type ${type} holds ${data}`);
  return { id, json: data };
}

import { get as httpGet } from "node:http";
import type { IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import type { Readable } from "node:stream";
import { SseParser } from "#src/protocol/sse-parser.ts";

/** One event of `live=sse`. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** What a control event says. */
export interface Control {
  readonly streamNextOffset: string;
  readonly streamCursor?: string;
  readonly upToDate?: boolean;
  readonly streamClosed?: boolean;
}

/** An event stream that is read, and waiting for more of it. */
export interface OpenEvents {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly events: readonly StreamEvent[];
  /** All bytes so far, as text. */
  readonly text: () => string;
  /** The control events so far. */
  readonly controls: () => Control[];
  /** The data of all data events so far, in one. */
  readonly data: () => string;
  /** Resolves once it is true of what has come. Rejects if the stream ends before. */
  readonly until: (isEnough: (events: OpenEvents) => boolean) => Promise<void>;
  /** Resolves when the server, or whoever stands between, has ended it. */
  readonly ended: Promise<void>;
  readonly body: Readable;
  readonly close: () => void;
}

/** Opens an event stream over HTTP/1.1. @throws if the answer is not 200. */
export async function openEvents(url: string, { ca }: { readonly ca?: string } = {}): Promise<OpenEvents> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { agent: false, ...(ca === undefined ? {} : { ca }) } as const;
    const request = url.startsWith("https:")
      ? httpsGet(url, options, resolve)
      : httpGet(url, options, resolve);
    request.once("error", reject);
  });
  if (response.statusCode !== 200) throw new Error(`refused with ${response.statusCode}`);
  return readEvents(response, response.headers);
}

/** Reads an event stream from a body. */
export function readEvents(body: Readable, headers: Readonly<Record<string, unknown>> = {}): OpenEvents {
  const events: StreamEvent[] = [];
  const waiting = new Set<() => void>();
  const parser = new SseParser();
  let text = "";
  let isOver = false;
  const wake = (): void => {
    for (const each of waiting) each();
    waiting.clear();
  };
  body.setEncoding("utf8");
  body.on("data", (chunk: string) => {
    text += chunk;
    for (const item of parser.push(chunk)) {
      if (item.kind === "event") events.push({ type: item.type, data: item.data });
    }
    wake();
  });
  body.on("error", () => {}); // one that is cut off ends like any other
  const ended = new Promise<void>((resolve) => {
    body.once("close", () => {
      isOver = true;
      wake();
      resolve();
    });
  });
  const open: OpenEvents = {
    headers,
    events,
    text: () => text,
    controls: () =>
      events.filter(({ type }) => type === "control").map(({ data }) => JSON.parse(data) as Control),
    data: () =>
      events
        .filter(({ type }) => type === "data")
        .map(({ data }) => data)
        .join(""),
    until: async (isEnough) => {
      while (!isEnough(open)) {
        if (isOver) throw new Error(`the events ended after: ${text.slice(-2_000)}`);
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    ended,
    body,
    close: () => void body.destroy(),
  };
  return open;
}

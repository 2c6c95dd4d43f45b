import { SseParser } from "../protocol/sse-parser.ts";
import type { Message } from "../protocol/message.ts";
import { parseAnswer, toEnding } from "./ending.ts";
import type { Ending } from "./ending.ts";
import type { LinkRequest } from "./link.ts";

/**
 * Reads a channel as Server-Sent Events until that ends. Never rejects.
 *
 * By `fetch`, for an `EventSource` can neither send a token nor tell why it was refused.
 */
export async function readEventStream(request: LinkRequest): Promise<Ending> {
  const { url, signal, onHeard } = request;
  let retryMs: number | undefined;
  try {
    const response = await fetch(url, {
      ...credentials(request.token),
      signal,
    });
    onHeard();
    if (!response.ok) {
      return toEnding(response.status, {
        ...parseAnswer(await response.text()),
        afterMs: retryAfterMs(response),
      });
    }
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      onHeard();
      for (const item of parser.push(decoder.decode(value, { stream: true }))) {
        if (item.kind === "retry") retryMs = item.retryMs;
        else if (item.kind === "position") request.onReady({ id: item.id });
        else if (item.kind === "event") request.onMessage(JSON.parse(item.data) as Message);
      }
    }
  } catch {
    // The network, or `signal`: then nobody waits for this ending any more.
  }
  return { kind: "lost", afterMs: retryMs };
}

/** `Retry-After`, in ms. */
export function retryAfterMs({ headers }: Response): number | undefined {
  return Number(headers.get("retry-after")) * 1_000 || undefined;
}

/** What a request shows of who it is: a token, and the cookies that a WebSocket shows as well. */
export function credentials(
  token: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Pick<RequestInit, "credentials" | "headers"> {
  return {
    credentials: "include",
    headers: token ? { ...headers, authorization: `Bearer ${token}` } : headers,
  };
}

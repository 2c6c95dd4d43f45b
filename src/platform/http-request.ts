import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

import { localhostLookup } from "./localhost-lookup.ts";

interface HttpRequestOptions {
  /** @default "GET" */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** How long nothing may move on the connection, in ms, before it counts as broken. @default for ever */
  readonly silenceMs?: number | undefined;
  /** PEM of the only CA to trust. @default the system's */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

/** Sends one request and resolves with its answer's head; the body is still to be read. */
export function sendRequest(
  url: URL,
  { method = "GET", headers = {}, body = "", silenceMs, ca, signal }: HttpRequestOptions,
): Promise<IncomingMessage> {
  const isTls = url.protocol === "https:";
  const length = method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const options = { method, headers: { ...headers, ...length }, lookup: localhostLookup, signal };
  return new Promise((resolve, reject) => {
    const request = isTls
      ? httpsRequest(url, { ...options, ...(ca === undefined ? {} : { ca }) }, resolve)
      : httpRequest(url, options, resolve);
    request.on("error", reject);
    // A machine that is gone without a word, or one that slept: TCP alone would wait for hours.
    if (silenceMs !== undefined)
      request.setTimeout(silenceMs, () => request.destroy(new Error(`silence for ${silenceMs / 1_000} s`)));
    request.end(body);
  });
}

/** The whole body of an answer. */
export async function readBytes(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

import type { IncomingMessage, ServerResponse } from "node:http";

import { answerCall, isCallPath } from "./answer-call.ts";
import type { AppAnswer, FindChannel } from "./answer-call.ts";

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** The broker's calls, answered for servers on `node:http`. */
export function nodeMiddleware(findChannel: FindChannel): Middleware {
  return (request, response, next) => {
    const path = pathOf(request);
    if (!isCallPath(path)) {
      next();
      return;
    }
    const { method, headers } = request;
    const call = { method, path, authorization: headers.authorization, readBody: () => readBody(request) };
    void answerCall(call, findChannel).then((answer) => send(response, answer));
  };
}

function send(response: ServerResponse, { status, json }: AppAnswer): void {
  if (response.headersSent) return; // a time-out of the app's own was faster
  response.statusCode = status;
  if (json === undefined) response.end();
  else response.setHeader("content-type", "application/json").end(json);
}

/** A framework that mounts the middleware below a path cuts `url` and keeps `originalUrl`. */
function pathOf(request: IncomingMessage): string {
  const url = "originalUrl" in request ? String(request.originalUrl) : (request.url ?? "");
  return url.split("?", 1)[0] ?? "";
}

/** The body, read here unless a body parser before us has: then its result is in `body`. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  if (!request.readableDidRead) return JSON.parse(await readText(request));
  const body: unknown = "body" in request ? request.body : undefined;
  return typeof body === "string" || Buffer.isBuffer(body) ? JSON.parse(String(body)) : body;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

import { answerCall, isCallPath } from "./answer-call.ts";
import type { Answerers, AppAnswer } from "./answer-call.ts";

/**
 * What the middleware needs of Node's `IncomingMessage`, and no more: the SDK's types then need none of Node's, which
 * a page's code has not got, and HTTP/2 requests fit too.
 */
export interface NodeRequest extends AsyncIterable<unknown> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { readonly authorization?: string | undefined };
  readonly readableDidRead: boolean;
}

/** What the middleware needs of Node's `ServerResponse`. */
export interface NodeResponse {
  readonly headersSent: boolean;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Answers what is a call of the broker and passes on everything else. */
export type NodeMiddleware = (request: NodeRequest, response: NodeResponse, next: () => void) => void;

/** The broker's calls, answered for servers on `node:http`. */
export function nodeMiddleware(answerers: Answerers): NodeMiddleware {
  return (request, response, next) => {
    const path = pathOf(request);
    if (!isCallPath(path)) {
      next();
      return;
    }
    const { method, headers } = request;
    const call = { method, path, authorization: headers.authorization, readBody: () => readBody(request) };
    void answerCall(call, answerers).then((answer) => send(response, answer));
  };
}

function send(response: NodeResponse, { status, json }: AppAnswer): void {
  if (response.headersSent) return; // a time-out of the app's own was faster
  response.statusCode = status;
  if (json !== undefined) response.setHeader("content-type", "application/json");
  response.end(json ?? "");
}

/** A framework that mounts the middleware below a path cuts `url` and keeps `originalUrl`. */
function pathOf(request: NodeRequest): string {
  const url = "originalUrl" in request ? String(request.originalUrl) : (request.url ?? "");
  return url.split("?", 1)[0] ?? "";
}

/** The body, read here unless a body parser before us has: then its result is in `body`. */
async function readBody(request: NodeRequest): Promise<unknown> {
  if (!request.readableDidRead) return JSON.parse(await readText(request));
  const body: unknown = "body" in request ? request.body : undefined;
  return typeof body === "string" || Buffer.isBuffer(body) ? JSON.parse(String(body)) : body;
}

async function readText(request: NodeRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

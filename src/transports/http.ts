import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { toProblemAnswer } from "../protocol/problem.ts";

/** A request over HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** Its response. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Whether nobody is there any more to answer. */
export function hasLeft(response: HttpResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}

/** Aborts when the client has left, or has got its answer to the end. */
export function leavingOf(response: HttpResponse): AbortController {
  const left = new AbortController();
  const leave = (): void => left.abort();
  response.once("close", leave);
  response.on("error", leave);
  if (hasLeft(response)) leave();
  return left;
}

/** Sends a whole answer; does nothing if one has begun or the client has gone. */
export function sendAnswer(response: HttpResponse, { status, headers = {}, body = "" }: Answer): void {
  if (response.headersSent || hasLeft(response)) return;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("x-content-type-options", "nosniff");
  if (status !== 204 && status !== 304) response.setHeader("content-length", Buffer.byteLength(body));
  if ("stream" in response) sendAtOnce(response, body);
  else response.end(body);
}

/**
 * Sends an answer over HTTP/2 in one write. The compatibility layer of Node leaves room for trailers, and so ends the stream
 * a turn after its last byte: a client of a server that is killed in between has all of it, and must take it for broken.
 */
function sendAtOnce(response: Http2ServerResponse, body: string | Buffer): void {
  const { stream, statusCode, req: request } = response;
  const hasBody = body.length > 0 && request.method !== "HEAD" && statusCode !== 204 && statusCode !== 304;
  stream.respond({ ":status": statusCode, ...response.getHeaders() }, { endStream: !hasBody });
  if (hasBody) stream.end(body);
}

/** Sends JSON. */
export function sendJson(response: HttpResponse, status: number, value: unknown): void {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  sendAnswer(response, { status, headers, body: JSON.stringify(value) });
}

/** Sends an error as a problem body: the one place where an error becomes an HTTP answer. */
export function sendProblem(response: HttpResponse, error: ChanctlError): void {
  sendAnswer(response, toProblemAnswer(error));
}

/** Anything thrown, as an error of the table: what is not one already is a bug, logged with its stack. */
export function toChanctlError(thrown: unknown, logger: Logger): ChanctlError {
  if (thrown instanceof ChanctlError) return thrown;
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  logger({
    level: "error",
    event: "bug",
    message: `internal error: ${messageOf(thrown)}`,
    fields: { stack },
  });
  return new ChanctlError("internal", "something went wrong in the server", { cause: thrown });
}

/** What one request's body may take of what all bodies may; see `BodyBudget`. */
export interface BodyShare {
  /** @throws {ChanctlError} `rate_limited` if all bodies together would be too much. */
  readonly take: (bytes: number) => void;
}

interface BodyLimits {
  readonly maxBytes: number;
  /** What it is counted in as it comes. @default not counted */
  readonly share?: BodyShare;
  /** The key of the config's `limits` that this is, where it is one. */
  readonly limit?: string;
  /** How long it may take, in ms. @default 30 s: it is a message, not an upload */
  readonly timeoutMs?: number;
}

const BODY_TIMEOUT_MS = 30_000;

/** What a piece of a body takes beside its bytes: one that comes byte by byte is mostly that. */
const BYTES_PER_CHUNK = 128;

/**
 * Reads a request's body.
 *
 * @throws {ChanctlError} `too_big` as soon as it is more than the limit, the rest is not read; `malformed` if it
 *   breaks off or takes too long (CWE-400); `rate_limited` if all bodies together are too much.
 */
export async function readBody(
  request: HttpRequest,
  { maxBytes, share, limit, timeoutMs = BODY_TIMEOUT_MS }: BodyLimits,
): Promise<Buffer> {
  const tooBig = (): ChanctlError =>
    new ChanctlError(
      "too_big",
      `the body is larger than ${maxBytes} bytes`,
      limit === undefined ? {} : { limit },
    );
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooBig();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => request.destroy(), timeoutMs);
  try {
    for await (const chunk of request) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      if (size > maxBytes) throw tooBig();
      share?.take(bytes.length + BYTES_PER_CHUNK);
      chunks.push(bytes);
    }
  } catch (cause) {
    // A client that leaves in the middle is no bug of ours.
    if (cause instanceof ChanctlError) throw cause;
    throw new ChanctlError("malformed", "the body broke off", { cause });
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks, size);
}

/** The first value of a header. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/** The host that the client asked for: `:authority` in HTTP/2. */
export function hostOf(request: HttpRequest): string | undefined {
  return headerOf(request, ":authority") ?? headerOf(request, "host");
}

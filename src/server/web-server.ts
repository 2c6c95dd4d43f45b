import { createServer as createHttpServer } from "node:http";
import type { Server as HttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Server as HttpsServer } from "node:https";
import type { Duplex } from "node:stream";
import { answerClientError } from "./client-error.ts";
import type { ClientErrorOptions } from "./client-error.ts";
import { IncomingRequest } from "./incoming-request.ts";

/** A server of HTTP that is given its sockets. */
export type WebServer = HttpServer | HttpsServer | Http2SecureServer;

/** What a web server speaks, and how long it waits. */
export interface WebServerOptions {
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly http2: boolean;
  readonly maxHeaderBytes: number;
  /** How long TLS and the request's head may take, in ms. */
  readonly handshakeTimeoutMs: number;
}

type OnRefused = ClientErrorOptions["onRefused"];

const TIMEOUT_CHECK_MS = 2_000;
/**
 * How long a connection of HTTP/1.1 may wait for its next request. Whoever sends one just as it is closed cannot know
 * whether it was taken, so this is longer than the minute that load balancers keep theirs; Node's 5 s are over in one
 * long stall.
 */
const KEEP_ALIVE_MS = 75_000;

/** Plain HTTP, or TLS with HTTP/1.1 and, where asked for, HTTP/2. */
export function createWebServer(options: WebServerOptions, onRefused: OnRefused): WebServer {
  const web = create(options);
  web.on("session", (session: ServerHttp2Session) => expectRequest(session, options.handshakeTimeoutMs));
  begin(web, { limits: options, onRefused });
  return web;
}

/** Plain HTTP beside TLS, on the same port. */
export function createPlainServer(options: WebServerOptions, onRefused: OnRefused): HttpServer {
  const plain = createHttpServer();
  begin(plain, { limits: options, onRefused });
  return plain;
}

function create({ tls, http2, maxHeaderBytes, handshakeTimeoutMs }: WebServerOptions): WebServer {
  if (tls === undefined) return createHttpServer({ noDelay: true, IncomingMessage: IncomingRequest });
  const { cert, key } = tls;
  const secure = { cert, key, handshakeTimeout: handshakeTimeoutMs, noDelay: true };
  if (!http2) return createHttpsServer({ ...secure, IncomingMessage: IncomingRequest });
  return createSecureServer({
    ...secure,
    allowHTTP1: true,
    Http1IncomingMessage: IncomingRequest,
    settings: { maxHeaderListSize: maxHeaderBytes },
  });
}

/**
 * Makes a server that is given its sockets work as one that listens: `listening` starts its check of slow request
 * heads. A head must come soon; a body may take as long as an upload takes.
 *
 * All this is set here and not when the server is made, for HTTP/2's does not look at these options of HTTP/1.1.
 */
function begin(server: WebServer, options: ClientErrorOptions): void {
  const { limits } = options;
  Object.assign(server, {
    headersTimeout: limits.handshakeTimeoutMs,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: false, // see `findHostFault`: Node's own check looks neither at upgrades nor for a second one
  });
  server.on("clientError", (error, socket: Duplex) => answerClientError(error, socket, options));
  server.emit("listening");
}

/** Node bounds the first request's head over HTTP/1.1 only. */
function expectRequest(session: ServerHttp2Session, timeoutMs: number): void {
  const timer = setTimeout(() => session.destroy(), timeoutMs);
  session.once("stream", () => clearTimeout(timer));
  session.once("close", () => clearTimeout(timer));
}

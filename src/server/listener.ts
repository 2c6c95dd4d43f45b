import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import { createSecureServer, Http2ServerResponse } from "node:http2";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { Server as HttpsServer } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { ChanctlError } from "../shared/errors.ts";
import { addressOf } from "../transports/access.ts";
import { sendProblem } from "../transports/http.ts";
import { endWithProblem } from "../transports/socket-answer.ts";
import type { HostCheck } from "./allowed-hosts.ts";
import { answerClientError } from "./client-error.ts";
import type { ClientErrorOptions } from "./client-error.ts";
import { continueWhenRead } from "./continue-when-read.ts";
import { FailedWrites } from "./failed-writes.ts";
import { findHostFault } from "./host-header.ts";
import { sendHostRefusal } from "./host-refusal.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { toListenError } from "./listen-error.ts";
import type { Audience } from "./listen-error.ts";
import { redirectToHttps } from "./redirect.ts";
import { StalledPeers } from "./stalled-peers.ts";
import { bindTwin, twinAddressOf } from "./twin-loopback.ts";

export interface ListenerOptions {
  /** Which of the server's two it is. */
  readonly audience: Audience;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts; absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly http2: boolean;
  readonly maxHeaderBytes: number;
  /** How long TLS and the request's head may take, in ms. */
  readonly handshakeTimeoutMs: number;
  /** Which hosts a request may name. @default any */
  readonly isHostAllowed?: HostCheck;
  /** The config's file, for the hint of a host that may not. @default "chanctl.config.ts" */
  readonly configName?: string;
}

/** What is behind a port. */
export interface Routes {
  request(request: HttpRequest, response: HttpResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Serves what comes over plain HTTP to a TLS port; returns whether it did, else it is redirected. */
  plainRequest?(request: HttpRequest, response: HttpResponse): boolean;
  /** Hears of what was answered with an error before it was a request. */
  refused(error: ChanctlError, address: string): void;
}

type WebServer = HttpServer | HttpsServer | Http2SecureServer;

/** Node's 511 lets a stall of 60 ms make a quarter of 1,000 connects wait a second. */
const BACKLOG = 4_096;
/** The first byte of a TLS record that begins a handshake (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;
const TIMEOUT_CHECK_MS = 2_000;
/**
 * How long a connection of HTTP/1.1 may wait for its next request. Whoever sends one just as it is closed cannot know
 * whether it was taken, so this is longer than the minute that load balancers keep theirs; Node's 5 s are over in one
 * long stall.
 */
const KEEP_ALIVE_MS = 75_000;
const IDLE_CHECK_MS = 20;
/** A port that the system gave out for one address of `localhost` is hardly ever another's at the other. */
const FREE_PORT_ATTEMPTS = 20;

/**
 * A port: HTTP/1.1, or TLS with HTTP/2 and HTTP/1.1, where plain HTTP is redirected.
 *
 * It is bound before it serves: the app must be told the port, and the routes need the app.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #net: NetServer;
  /** At the other address of `localhost`; only where the URL is that name. */
  #twin: NetServer | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #failedWrites = new FailedWrites();
  readonly #stalledPeers = new StalledPeers();
  #web: WebServer | undefined;
  #redirect: HttpServer | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {ChanctlError} `port_in_use`, `cannot_listen`. */
  static async bind(options: ListenerOptions): Promise<Listener> {
    const { audience, host, port } = options;
    for (let attempt = 1; ; attempt += 1) {
      const listener = new Listener(options);
      listener.#net.listen({ host, port, backlog: BACKLOG });
      try {
        await once(listener.#net, "listening");
      } catch (cause) {
        throw await toListenError(cause, { audience, host, port });
      }
      const twin = audience === "public" ? twinAddressOf({ host, address: listener.address }) : undefined;
      if (twin === undefined) return listener;
      try {
        const onConnection = (socket: Socket): void => listener.#take(socket);
        const wanted = { address: twin, port: listener.port, backlog: BACKLOG, onConnection };
        listener.#twin = await bindTwin(wanted);
        return listener;
      } catch (cause) {
        await listener.close({ graceMs: 0 }); // first: the port's owner is looked for, and must not be this process
        if (port === 0 && attempt < FREE_PORT_ATTEMPTS) continue;
        throw await toListenError(cause, { audience, host, port, twin });
      }
    }
  }

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#net = createNetServer({ noDelay: true }, (socket) => this.#take(socket));
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    this.#stalledPeers.watch(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    // Between two owners nobody else listens: an error here would end the process.
    socket.on("error", () => socket.destroy());
    if (this.#web !== undefined) this.#give(socket, this.#web);
  }

  /** Begins to serve, those too who have come meanwhile. */
  serve(routes: Routes): void {
    const { tls, handshakeTimeoutMs } = this.#options;
    const findFault = (request: HttpRequest): ChanctlError | undefined => {
      const fault = findHostFault(request, this.#options);
      if (fault?.code === "host_forbidden") routes.refused(fault, addressOf(request));
      return fault;
    };
    const web = createWebServer(this.#options);
    const onRequest = (request: HttpRequest, response: HttpResponse): void => {
      const fault = findFault(request);
      if (fault === undefined) routes.request(request, response);
      else sendHostRefusal(request, response, fault);
    };
    web.on("request", onRequest);
    web.on("checkContinue", (request: HttpRequest, response: HttpResponse) => {
      continueWhenRead(request, response);
      onRequest(request, response);
    });
    web.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const fault = findFault(request);
      if (fault === undefined) routes.upgrade(request, socket, head);
      else endWithProblem(socket, fault);
    });
    web.on("connect", refuseTunnel);
    web.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      expectRequest(session, handshakeTimeoutMs);
      this.#failedWrites.watch(session);
    });
    const begun = { limits: this.#options, onRefused: routes.refused.bind(routes) };
    begin(web, begun);
    if (tls !== undefined) {
      const onPlain = (request: IncomingMessage, response: ServerResponse): void => {
        const fault = findFault(request);
        if (fault?.code === "host_forbidden") sendHostRefusal(request, response, fault);
        else if (fault !== undefined || routes.plainRequest?.(request, response) !== true)
          redirectToHttps(request, response);
      };
      this.#redirect = createHttpServer(onPlain);
      this.#redirect.on("checkContinue", onPlain); // a body in the clear is not asked for
      begin(this.#redirect, begun);
    }
    this.#web = web;
    for (const socket of this.#sockets) this.#give(socket, web);
  }

  #give(socket: Socket, web: WebServer): void {
    if (this.#redirect === undefined) web.emit("connection", socket);
    else sniff(socket, { secure: web, plain: this.#redirect, timeoutMs: this.#options.handshakeTimeoutMs });
  }

  get port(): number {
    return this.#bound.port;
  }

  /** The IP address that it is bound to, whatever name `host` is. */
  get address(): string {
    return this.#bound.address;
  }

  get #bound(): AddressInfo {
    return this.#net.address() as AddressInfo;
  }

  /** Presents another certificate from the next handshake on. */
  setCertificate(tls: { readonly cert: string; readonly key: string }): void {
    if (this.#web !== undefined && "setSecureContext" in this.#web) this.#web.setSecureContext({ ...tls });
  }

  /** Takes no more connections, waits up to `graceMs` for the requests under way, then cuts off what is left. */
  close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const nets = this.#twin === undefined ? [this.#net] : [this.#net, this.#twin];
    const closed = Promise.all(nets.map((net) => once(net, "close")));
    for (const net of nets) net.close();
    for (const session of this.#sessions) session.close();
    // They never listened themselves: this ends their timers and the connections that are idle now, …
    this.#web?.close();
    this.#redirect?.close();
    // … and this those that become idle when their request is done.
    const idle = setInterval(() => this.#closeIdle(), IDLE_CHECK_MS);
    const timer = setTimeout(() => this.kill(), graceMs);
    await closed;
    clearInterval(idle);
    clearTimeout(timer);
  }

  #closeIdle(): void {
    if (this.#web !== undefined && "closeIdleConnections" in this.#web) this.#web.closeIdleConnections();
  }

  /** Cuts off every connection. */
  kill(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function createWebServer({ tls, http2, maxHeaderBytes, handshakeTimeoutMs }: ListenerOptions): WebServer {
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

/** A CONNECT: this is no proxy for other hosts, and without an answer the client would wait for one. */
function refuseTunnel(_request: HttpRequest, outlet: Duplex | Http2ServerResponse): void {
  const error = new ChanctlError("method_not_allowed", "the method CONNECT is not allowed here");
  if (!(outlet instanceof Http2ServerResponse)) return endWithProblem(outlet, error, { allow: "" });
  outlet.setHeader("allow", "");
  sendProblem(outlet, error);
}

/** Node bounds the first request's head over HTTP/1.1 only. */
function expectRequest(session: ServerHttp2Session, timeoutMs: number): void {
  const timer = setTimeout(() => session.destroy(), timeoutMs);
  session.once("stream", () => clearTimeout(timer));
  session.once("close", () => clearTimeout(timer));
}

interface Sniffed {
  readonly secure: WebServer;
  readonly plain: HttpServer;
  readonly timeoutMs: number;
}

/** Gives a socket to the server that speaks what its first byte begins. */
function sniff(socket: Socket, { secure, plain, timeoutMs }: Sniffed): void {
  const expire = (): void => void socket.destroy();
  socket.setTimeout(timeoutMs, expire);
  socket.once("readable", () => {
    const head: Buffer | null = socket.read();
    if (head === null) return; // ended before it said anything
    socket.setTimeout(0);
    socket.off("timeout", expire);
    socket.unshift(head);
    (head[0] === TLS_HANDSHAKE ? secure : plain).emit("connection", socket);
  });
}

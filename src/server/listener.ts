import { once } from "node:events";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import { createServer as createNetServer } from "node:net";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { continueWhenRead } from "./continue-when-read.ts";
import { FailedWrites } from "./failed-writes.ts";
import { checkHosts } from "./host-check.ts";
import type { HostRules } from "./host-header.ts";
import { toListenError } from "./listen-error.ts";
import type { Audience } from "./listen-error.ts";
import { redirectToHttps } from "./redirect.ts";
import type { Routes } from "./routes.ts";
import { sniff } from "./sniff.ts";
import { StalledPeers } from "./stalled-peers.ts";
import { refuseTunnel } from "./tunnel-refusal.ts";
import { bindTwin, twinAddressOf } from "./twin-loopback.ts";
import { createPlainServer, createWebServer } from "./web-server.ts";
import type { WebServer, WebServerOptions } from "./web-server.ts";

/** Where a listener is bound, what it speaks and which hosts it answers for. */
export interface ListenerOptions extends WebServerOptions, HostRules {
  /** Which of the server's two it is. */
  readonly audience: Audience;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
}

/** Node's 511 lets a stall of 60 ms make a quarter of 1,000 connects wait a second. */
const BACKLOG = 4_096;
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
    const checked = checkHosts(routes, this.#options);
    const onRefused = routes.refused.bind(routes);
    const web = createWebServer(this.#options, onRefused);
    web.on("request", checked.request);
    web.on("checkContinue", (request: HttpRequest, response: HttpResponse) => {
      continueWhenRead(request, response);
      checked.request(request, response);
    });
    web.on("upgrade", checked.upgrade);
    web.on("connect", refuseTunnel);
    web.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      this.#failedWrites.watch(session);
    });
    if (this.#options.tls !== undefined) {
      const onPlain = (request: IncomingMessage, response: ServerResponse): void => {
        if (!checked.plainRequest(request, response)) redirectToHttps(request, response);
      };
      this.#redirect = createPlainServer(this.#options, onRefused);
      this.#redirect.on("request", onPlain);
      this.#redirect.on("checkContinue", onPlain); // a body in the clear is not asked for
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

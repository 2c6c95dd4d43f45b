import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Grant } from "../auth/grant.ts";
import { WEBSOCKET_ENCODING } from "../broker/encoding.ts";
import type { Followed } from "../broker/follow.ts";
import { ChanctlError } from "../shared/errors.ts";
import { encodeOffset } from "../protocol/offset.ts";
import type { Start } from "../protocol/start.ts";
import { addressOf } from "./access.ts";
import { toCurrent } from "./channel-target.ts";
import type { ChannelTarget } from "./channel-target.ts";
import { connectionTerms } from "./connection-terms.ts";
import type { ConnectionTerms } from "./connection-terms.ts";
import { spreadReconnect } from "./connections.ts";
import type { Connection } from "./connections.ts";
import type { TransportContext } from "./context.ts";
import { FrameInbox } from "./frame-inbox.ts";
import type { HeldWebSocket } from "./held-web-socket.ts";
import { toChanctlError } from "./http.ts";
import { logConnect } from "./log-connect.ts";
import { SocketSink } from "./socket-sink.ts";
import { admit, readmit } from "./websocket-admission.ts";
import type { Applicant } from "./websocket-admission.ts";
import { Conversation } from "./websocket-conversation.ts";
import { answerPings } from "./websocket-pong.ts";

/** What a client asks for with its handshake. */
export interface Opening {
  readonly target: ChannelTarget;
  readonly start: Start;
  /** A credential that came with the handshake, outside the headers. */
  readonly token: string | undefined;
}

interface Peer {
  /** As the URL names it, whether there is one or not. */
  readonly channel: string;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly webSocket: HeldWebSocket;
}

/** The close code for a frame that is too big (RFC 6455, section 7.4.1). */
const TOO_BIG = 1009;
/** How long a connection that ends waits for its publishes under way: less than a shutdown gives its sockets (2 s). */
const FAREWELL_MS = 1_500;

/**
 * One client on a WebSocket, from its handshake to its end: who it is, what it reads, whether it is still there.
 *
 * Our frames go to the socket as they are; only pings and closes go through `ws`, which writes to the same socket.
 */
export class WebSocketConnection implements Connection {
  readonly #context: TransportContext;
  readonly #peer: Peer;
  readonly #sink: SocketSink;
  readonly #closed = new AbortController();
  readonly #inbox: FrameInbox;
  readonly #conversation: Conversation;
  #target: ChannelTarget | undefined;
  #grant: Grant | undefined;
  #terms: ConnectionTerms | undefined;
  #followed: Followed | undefined;
  #logEnd: ReturnType<typeof logConnect> | undefined;
  /** Why the server ends it. */
  #reason: ChanctlError | undefined;
  /** How the peer broke the WebSocket protocol. */
  #broken: { readonly error: ChanctlError; readonly closeCode: number } | undefined;
  /** Kept: a closed socket no longer knows it, and what was counted must be uncounted. */
  readonly address: string;
  #unansweredSince: number | undefined;
  lastBeatAt: number = performance.now();

  constructor(context: TransportContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
    this.address = addressOf(peer.request);
    const { webSocket } = peer;
    // After a close frame nothing may be sent (RFC 6455, section 5.5.1), whoever began to close.
    this.#sink = new SocketSink(WEBSOCKET_ENCODING, peer.socket, {
      isOpen: () => webSocket.readyState === webSocket.OPEN,
    });
    this.#conversation = new Conversation(context, {
      sink: this.#sink,
      onAuth: (token) => this.#refresh(token),
      onRefused: (error) => this.#noteRefused(error),
    });
    this.#inbox = new FrameInbox(webSocket, this.#closed.signal);
    webSocket.on("message", () => this.#hear());
    webSocket.on("pong", () => this.#hear());
    webSocket.on("ping", () => this.#hear());
    answerPings(webSocket, { sink: this.#sink, signal: this.#closed.signal });
    webSocket.on("close", () => {
      this.#closed.abort();
      this.#conversation.leave();
    });
    webSocket.on("error", () => {}); // heard of as a broken frame, or followed by `close`
    webSocket.onBrokenFrame = (closeCode) => this.#break(closeCode);
  }

  get channel(): string {
    return this.#peer.channel;
  }

  get isClient(): boolean {
    return this.#context.audience === "public";
  }

  get subject(): string | undefined {
    return this.#grant?.subject;
  }

  /** Who is made to wait for the app cannot be heard, and is not silent. Who does not read, is. */
  get unansweredSince(): number | undefined {
    const waits = this.#peer.webSocket.isPaused && this.#sink.unsentBytes === 0;
    return waits ? undefined : this.#unansweredSince;
  }

  get keepaliveIntervalMs(): number {
    return this.#terms?.keepaliveIntervalMs ?? Number.POSITIVE_INFINITY;
  }

  get endsAt(): number {
    return this.#terms?.endsAt ?? Number.POSITIVE_INFINITY;
  }

  keepAlive(): void {
    this.#peer.webSocket.ping();
    this.lastBeatAt = performance.now();
    this.#unansweredSince = this.unansweredSince ?? this.lastBeatAt;
  }

  kill(): void {
    this.#peer.webSocket.terminate();
  }

  /** Serves the client until one side ends it. `parse` says what the handshake asks for, or throws. Never rejects. */
  async serve(parse: () => Opening): Promise<void> {
    const { connections, logger } = this.#context;
    try {
      await this.#open(parse());
      await Promise.all([this.#followed?.run(this.#sink, this.#closed.signal), this.#listen()]);
    } catch (thrown) {
      this.end(toChanctlError(thrown, logger));
    } finally {
      connections.remove(this);
      this.#followed?.close();
      this.#logEnd?.(this.#reason);
    }
  }

  async #open({ target, start, token }: Opening): Promise<void> {
    const { broker, connections, registry } = this.#context;
    const grant = await admit(this.#context, this.#applicant(target, token));
    // From here to `connections.add` no `await` may enter: a change of the channel would pass this connection by.
    if (grant === undefined || this.#closed.signal.aborted) return;
    const current = toCurrent(registry, target);
    const { address, isClient } = this;
    connections.assertRoom({ subject: grant.subject, address, isClient });
    this.#accept(current, grant);
    connections.add(this, grant);
    if (this.#closed.signal.aborted) return;
    this.#followed = broker.follow({
      path: current.path,
      start,
      replayWindowMs: () => this.#terms?.replayWindowMs ?? 0,
      keepMs: () => this.#grant?.overrides.inactivityTtlMs,
    });
    this.#sendReady();
    const { path } = current;
    this.#logEnd = logConnect(this.#context, { path, subject: grant.subject, transport: "ws" });
  }

  #applicant(target: ChannelTarget, token: string | undefined): Applicant {
    const { request } = this.#peer;
    return { request, address: this.address, inbox: this.#inbox, target, token, signal: this.#closed.signal };
  }

  #accept(target: ChannelTarget, grant: Grant): void {
    this.#target = target;
    this.#grant = grant;
    this.#terms ??= connectionTerms(this.#context.registry, {
      channel: target.channel,
      grant: () => this.#grant ?? grant,
    });
    this.#conversation.admit(target, grant);
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closed;
    for (;;) {
      // Who does not read the answers to what it sends is not read on, or they would pile up without bound (CWE-770).
      if (this.#sink.unsentBytes > this.#context.limits.maxUnsentBytes) await this.#sink.drained(signal);
      const text = await this.#inbox.take(signal);
      if (text === undefined) return;
      await this.#conversation.hear(text);
    }
  }

  async #refresh(token: string): Promise<void> {
    if (this.#target === undefined) throw new Error("a refresh before the opening");
    const { subject } = this;
    const grant = await readmit(this.#context, { ...this.#applicant(this.#target, token), subject });
    if (grant === undefined) return;
    this.#accept(this.#target, grant);
    this.#sendReady();
  }

  /** What was said before the broken frame is served first. */
  #break(closeCode: number): void {
    const error =
      closeCode === TOO_BIG
        ? new ChanctlError("too_big", "the frame is too big (`limits.maxMessageBytes`)", {
            limit: "maxMessageBytes",
          })
        : new ChanctlError("malformed", "the frame breaks the WebSocket protocol, or is not UTF-8");
    this.#broken = { error, closeCode };
    this.#inbox.fail(error);
  }

  #noteRefused(error: ChanctlError): void {
    const { channel, address } = this;
    this.#context.refusals.note({ error, channel, address, transport: "ws" });
  }

  #hear(): void {
    this.#unansweredSince = undefined;
  }

  #sendReady(): void {
    const id = this.#followed === undefined ? undefined : encodeOffset(this.#followed.position);
    const expiresAt = this.#grant?.expiresAt;
    // Not the time itself: the client's clock may be wrong.
    const expiresInMs = expiresAt === undefined ? undefined : Math.max(0, expiresAt - Date.now());
    this.#conversation.send({ control: "ready", id, subject: this.subject, expiresInMs });
  }

  end(reason: ChanctlError, options: { readonly afterMs?: number } = {}): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const hasLeft = this.#closed.signal.aborted;
    const isRefused = (this.#logEnd === undefined && !hasLeft) || reason === this.#broken?.error;
    if (isRefused) this.#noteRefused(reason);
    this.#closed.abort(); // nothing is read or pushed any more, so what is under way has an end
    void this.#leave(reason, options);
  }

  /** A client that never sees the acknowledgement of what is stored sends it again; one that sees no refusal waits. */
  async #leave(reason: ChanctlError, { afterMs = spreadReconnect() }: { afterMs?: number }): Promise<void> {
    await this.#conversation.settle(reason, FAREWELL_MS);
    const unheard = this.#inbox.drain();
    if (reason.isResumable) {
      for (const frame of unheard) this.#conversation.refuse(frame, reason);
      this.#conversation.send({ control: "reconnect", afterMs, reason: reason.code });
    } else this.#conversation.sendError(reason);
    const { closeCode } = this.#broken?.error === reason ? this.#broken : reason;
    this.#peer.webSocket.close(closeCode, reason.title);
  }
}

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Grant } from "../auth/grant.ts";
import type { Followed } from "../broker/broker.ts";
import { ChanctlError } from "../shared/errors.ts";
import { encodeOffset } from "../protocol/offset.ts";
import type { Start } from "../protocol/start.ts";
import { encodeTextFrame } from "../protocol/websocket-frame.ts";
import { addressOf, authorize, hasCredential } from "./access.ts";
import type { ChannelTarget } from "./channel-target.ts";
import { frameMembers, parseClientFrame, refOf } from "./client-frame.ts";
import type { ClientFrame } from "./client-frame.ts";
import { endOfLife } from "./connections.ts";
import type { Connection } from "./connections.ts";
import type { TransportContext } from "./context.ts";
import { FrameInbox } from "./frame-inbox.ts";
import { toChanctlError } from "./http.ts";
import { logConnect } from "./log-connect.ts";
import { publish } from "./publish.ts";
import { RateLimit } from "./rate-limit.ts";
import { SocketSink } from "./socket-sink.ts";

/** What a client asks for with its handshake. */
export interface Opening {
  readonly target: ChannelTarget;
  readonly start: Start;
  /** A credential that came with the handshake, outside the headers. */
  readonly token: string | undefined;
}

interface Peer {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly webSocket: WebSocket;
}

/** Malformed frames that are answered before the connection is closed for it. */
const MAX_MALFORMED = 10;

/**
 * One client on a WebSocket: reads the stream to it, and its frames to the broker.
 *
 * Our frames go to the socket as they are; only pings and closes go through `ws`, which writes to the same socket.
 */
export class WebSocketConnection implements Connection {
  readonly #context: TransportContext;
  readonly #peer: Peer;
  readonly #sink: SocketSink;
  readonly #closed = new AbortController();
  readonly #inbox: FrameInbox;
  readonly #rate: RateLimit;
  #opening: Opening | undefined;
  #grant: Grant | undefined;
  #followed: Followed | undefined;
  #malformed = 0;
  #acks: string[] = [];
  #isEnding = false;
  /** Kept: a closed socket no longer knows it, and what was counted must be uncounted. */
  readonly address: string;
  #heardAt: number = performance.now();
  lastBeatAt: number = performance.now();
  endsAt: number = Number.POSITIVE_INFINITY;

  constructor(context: TransportContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
    this.address = addressOf(peer.request);
    this.#sink = new SocketSink("ws", peer.socket);
    this.#rate = new RateLimit(context.limits);
    const { webSocket } = peer;
    this.#inbox = new FrameInbox(webSocket, this.#closed.signal);
    webSocket.on("message", () => this.#hear());
    webSocket.on("pong", () => this.#hear());
    webSocket.on("ping", () => this.#hear());
    webSocket.on("close", () => this.#closed.abort());
    // `ws` closes with the right code by itself (1007, 1009, 1002); there is nothing to add.
    webSocket.on("error", () => {});
  }

  get channel(): string {
    return this.#opening?.target.channel.definition.name ?? "";
  }

  get subject(): string | undefined {
    return this.#grant?.subject;
  }

  /** Who is made to wait for the app cannot be heard, and is not silent. Who does not read, is. */
  get lastHeardAt(): number {
    const waits = this.#peer.webSocket.isPaused && this.#sink.unsentBytes === 0;
    return waits ? performance.now() : this.#heardAt;
  }

  get keepaliveIntervalMs(): number {
    return this.#grant?.lifecycle.keepaliveIntervalMs ?? Number.POSITIVE_INFINITY;
  }

  keepAlive(): void {
    this.#peer.webSocket.ping();
    this.lastBeatAt = performance.now();
  }

  kill(): void {
    this.#peer.webSocket.terminate();
  }

  /** Serves the client until one side ends it. `parse` says what the handshake asks for, or throws. Never rejects. */
  async serve(parse: () => Opening): Promise<void> {
    const { connections, logger } = this.#context;
    try {
      const opening = parse();
      this.#opening = opening;
      await this.#open(opening);
      await Promise.all([this.#followed?.run(this.#sink, this.#closed.signal), this.#listen(opening)]);
    } catch (thrown) {
      this.end(toChanctlError(thrown, logger));
    } finally {
      connections.remove(this);
      this.#followed?.close();
    }
  }

  async #open(opening: Opening): Promise<void> {
    const { broker, connections, audience } = this.#context;
    const { target, start } = opening;
    const grant = await this.#authorize(opening.token ?? (await this.#awaitToken(target)));
    if (this.#closed.signal.aborted) return;
    const isClient = audience === "public";
    connections.assertRoom({ subject: grant.subject, address: this.address, isClient });
    this.#accept(grant);
    connections.add(this);
    const { replayWindowMs } = grant.lifecycle;
    this.#followed = broker.follow({ path: target.path, start, replayWindowMs });
    this.#sendReady();
    logConnect(this.#context, target, grant);
  }

  /** A browser cannot set headers: who shows nothing with the handshake may send an `auth` frame first. */
  async #awaitToken(target: ChannelTarget): Promise<string | undefined> {
    const { limits } = this.#context;
    if (hasCredential(this.#context, this.#peer.request, target)) return undefined;
    const waited = new AbortController();
    const timer = setTimeout(() => waited.abort(), limits.authFrameWaitMs);
    const frame = await this.#inbox.take(waited.signal).finally(() => clearTimeout(timer));
    const parsed = frame === undefined ? undefined : parseClientFrame(frame, frameMembers(frame), limits);
    if (parsed?.kind === "auth") return parsed.token;
    throw new ChanctlError(
      "unauthenticated",
      "the first frame must be an auth frame, or the handshake must carry a credential",
    );
  }

  async #authorize(token: string | undefined): Promise<Grant> {
    if (this.#opening === undefined) throw new Error("authorize before opening");
    return authorize(this.#context, {
      request: this.#peer.request,
      target: this.#opening.target,
      operation: "subscribe",
      transport: "ws",
      ...(token === undefined ? {} : { token }),
    });
  }

  #accept(grant: Grant): void {
    this.#grant = grant;
    this.endsAt = endOfLife(grant.lifecycle, grant.expiresAt);
  }

  async #listen({ target }: Opening): Promise<void> {
    const { signal } = this.#closed;
    for (;;) {
      // Who does not read the answers to what it sends is not read on, or they would pile up without bound (CWE-770).
      if (this.#sink.unsentBytes > this.#context.limits.maxUnsentBytes) await this.#sink.drained(signal);
      const text = await this.#inbox.take(signal);
      if (text === undefined) return;
      await this.#hearFrame(text, target);
    }
  }

  /** Answers what is wrong with a frame to the frame; only what makes the connection useless ends it. */
  async #hearFrame(text: string, target: ChannelTarget): Promise<void> {
    let ref: string | undefined;
    try {
      const members = frameMembers(text);
      ref = refOf(members);
      const frame = parseClientFrame(text, members, this.#context.limits);
      this.#malformed = 0;
      if (frame.kind === "auth") await this.#refresh(frame.token);
      else if (frame.kind === "publish") await this.#publish(frame, { ref, target });
    } catch (thrown) {
      const error = toChanctlError(thrown, this.#context.logger);
      if (error.code === "too_big" || error.code === "unauthenticated") throw error;
      if (error.code === "malformed" && ++this.#malformed > MAX_MALFORMED) throw error;
      this.#sendError(error, ref);
    }
  }

  /** Waits for the app's word on the message, not for the disk: the next frame may join its commit. */
  async #publish(
    { draft, key }: ClientFrame & { kind: "publish" },
    { ref, target }: { ref: string | undefined; target: ChannelTarget },
  ): Promise<void> {
    const grant = this.#grant;
    if (!grant?.operations.has("publish"))
      throw new ChanctlError("forbidden", "the app does not allow you to publish here");
    if (this.#context.audience === "public") this.#rate.take();
    // The channel as it is now: its schemas may have been reloaded since this connection began.
    const channel = this.#context.registry.get(this.channel) ?? target.channel;
    const { isAccepted, ids } = publish(this.#context, {
      target: { ...target, channel },
      drafts: [draft],
      grant,
      transport: "ws",
      ...(key === undefined ? {} : { key }),
    });
    ids.then(
      ([id]) => this.#sendAck(ref, id ?? ""),
      (thrown: unknown) => this.#sendError(toChanctlError(thrown, this.#context.logger), ref),
    );
    await isAccepted;
  }

  async #refresh(token: string): Promise<void> {
    const grant = await this.#authorize(token).catch((thrown: unknown) => {
      const error = toChanctlError(thrown, this.#context.logger);
      // Refused is over; an app that cannot be asked is not, the old grant still has its end.
      if (error.code === "app_unavailable") throw error;
      throw new ChanctlError("unauthenticated", error.message, { cause: error });
    });
    if (grant.subject !== this.subject)
      throw new ChanctlError("unauthenticated", "the new token is another subject's");
    this.#accept(grant);
    this.#sendReady();
  }

  #hear(): void {
    this.#heardAt = performance.now();
  }

  #sendReady(): void {
    const id = this.#followed === undefined ? undefined : encodeOffset(this.#followed.position);
    this.#send({ control: "ready", id, subject: this.subject });
  }

  /** The acknowledgements of one commit leave in one write. */
  #sendAck(ref: string | undefined, id: string): void {
    const ack = `{"control":"ack",${ref === undefined ? "" : `"ref":${ref},`}"id":"${id}"}`;
    if (this.#acks.push(ack) > 1) return;
    queueMicrotask(() => {
      const acks = this.#acks;
      this.#acks = [];
      this.#sink.write(Buffer.concat(acks.map(encodeTextFrame)));
    });
  }

  #sendError(error: ChanctlError, ref?: string): void {
    const { code, message, hint, retryAfterSecs } = error;
    const afterMs = retryAfterSecs === undefined ? undefined : Math.ceil(retryAfterSecs * 1_000);
    const parsedRef: unknown = ref === undefined ? undefined : JSON.parse(ref);
    this.#send({ control: "error", ref: parsedRef, code, message, fix: hint, afterMs, ...error.fields });
  }

  #send(frame: Readonly<Record<string, unknown>>): void {
    this.#sink.write(encodeTextFrame(JSON.stringify(frame)));
  }

  end(reason: ChanctlError, { afterMs = 0 }: { afterMs?: number } = {}): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#closed.abort(); // nothing that is pushed may come after the last frame
    if (reason.isResumable) this.#send({ control: "reconnect", afterMs, reason: reason.code });
    else this.#sendError(reason);
    this.#peer.webSocket.close(reason.closeCode, reason.title);
  }
}

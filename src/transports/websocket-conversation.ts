import type { Grant } from "../auth/grant.ts";
import { encodeTextFrame } from "../protocol/websocket-frame.ts";
import { ChanctlError } from "../shared/errors.ts";
import { toCurrent } from "./channel-target.ts";
import type { ChannelTarget } from "./channel-target.ts";
import { frameMembers, parseClientFrame, refOf } from "./client-frame.ts";
import type { ClientFrame } from "./client-frame.ts";
import type { TransportContext } from "./context.ts";
import { toChanctlError } from "./http.ts";
import { publish } from "./publish.ts";
import { publishRate, RateLimit } from "./rate-limit.ts";
import type { SocketSink } from "./socket-sink.ts";

interface ConversationOptions {
  readonly sink: SocketSink;
  /** Takes a new token of the client's. */
  readonly onAuth: (token: string) => Promise<void>;
  /** Hears of each frame that is refused. */
  readonly onRefused: (error: ChanctlError) => void;
}

/** Malformed frames that are answered before the connection is closed for it, counted from the last stored publish. */
const MAX_MALFORMED = 10;
/** A token lives for minutes, and each new one is a call to the app (CWE-770). */
const AUTH_RATE = { perSec: 1, burst: 10, message: "you send `auth` frames too fast" };

/** What a client says on its WebSocket, and what it is answered. */
export class Conversation {
  readonly #context: TransportContext;
  readonly #sink: SocketSink;
  readonly #onAuth: ConversationOptions["onAuth"];
  readonly #onRefused: ConversationOptions["onRefused"];
  readonly #publishRate: RateLimit;
  readonly #authRate = new RateLimit(AUTH_RATE);
  #target: ChannelTarget | undefined;
  #grant: Grant | undefined;
  #malformed = 0;
  #acks: string[] = [];
  #underWay = 0;
  /** Aborts when nobody waits any longer for the app's word on a message. */
  readonly #left = new AbortController();
  #onSettled: (() => void) | undefined;

  constructor(context: TransportContext, { sink, onAuth, onRefused }: ConversationOptions) {
    this.#context = context;
    this.#sink = sink;
    this.#onAuth = onAuth;
    this.#onRefused = onRefused;
    this.#publishRate = publishRate(context.limits);
  }

  /** What the client may do from now on, and with which stream. */
  admit(target: ChannelTarget, grant: Grant): void {
    this.#target = target;
    this.#grant = grant;
  }

  /**
   * Answers what is wrong with a frame to the frame; only what makes the connection useless is thrown.
   *
   * @throws {ChanctlError} `too_big`, `unauthenticated`; `malformed` for one too many.
   */
  async hear(text: string): Promise<void> {
    let ref: string | undefined;
    try {
      const members = frameMembers(text);
      ref = refOf(members);
      const frame = parseClientFrame(text, members, this.#context.limits);
      if (frame.kind === "auth") await this.#authenticate(frame.token);
      else if (frame.kind === "publish") await this.#publish(frame, ref);
      // Browsers hide the pings of the protocol: a page that hears nothing has to ask.
      else if (frame.kind === "ping") this.send({ control: "pong" });
    } catch (thrown) {
      const error = toChanctlError(thrown, this.#context.logger);
      this.#onRefused(error);
      if (error.code === "too_big" || error.code === "unauthenticated") throw error;
      if (error.code === "malformed" && ++this.#malformed > MAX_MALFORMED) throw error;
      this.sendError(error, ref);
    }
  }

  async #authenticate(token: string): Promise<void> {
    if (this.#context.audience === "public") this.#authRate.take();
    await this.#onAuth(token);
  }

  #sendRefusal(error: ChanctlError, ref: string | undefined): void {
    this.#onRefused(error);
    this.sendError(error, ref);
  }

  /** Waits for the app's word on the message, not for the disk: the next frame may join its commit. */
  async #publish({ draft, key }: ClientFrame & { kind: "publish" }, ref: string | undefined): Promise<void> {
    const grant = this.#grant;
    if (this.#target === undefined || !grant?.operations.has("publish"))
      throw new ChanctlError("forbidden", "the app does not allow you to publish here");
    if (this.#context.audience === "public") this.#publishRate.take();
    // The channel as it is now: its schemas may have been reloaded since this connection began.
    this.#target = toCurrent(this.#context.registry, this.#target);
    const { isAccepted, ids } = publish(this.#context, {
      target: this.#target,
      drafts: [draft],
      grant,
      transport: "ws",
      signal: this.#left.signal,
      ...(key === undefined ? {} : { key }),
    });
    this.#underWay += 1;
    void ids
      .then(
        ([id]) => this.#acknowledge(ref, id ?? ""),
        (thrown: unknown) => this.#sendRefusal(toChanctlError(thrown, this.#context.logger), ref),
      )
      .finally(() => this.#settleOne());
    await isAccepted;
  }

  /**
   * Answers every publish under way. One that still waits for the app after `maxMs` is refused with the reason, and
   * will not be stored; one that still waits for the disk stays unanswered.
   */
  async settle(reason: ChanctlError, maxMs: number): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          this.#left.abort(notStored(reason));
          setImmediate(resolve); // the refusal is a promise's turn away
        }, maxMs);
        this.#onSettled = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#sendAcks();
  }

  /** Gives up what still waits for the app: the client has left, and it will not be stored. */
  leave(): void {
    this.#left.abort(new ChanctlError("going_away", "the client has left"));
  }

  /** Refuses a frame that came too late to be heard, if it is a publish: a client may wait for its answer. */
  refuse(text: string, reason: ChanctlError): void {
    try {
      const members = frameMembers(text);
      const { kind } = parseClientFrame(text, members, this.#context.limits);
      if (kind === "publish") this.sendError(notStored(reason), refOf(members));
    } catch {
      // Nothing that could be stored, nor that anybody waits for.
    }
  }

  #settleOne(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onSettled?.();
  }

  #acknowledge(ref: string | undefined, id: string): void {
    this.#malformed = 0;
    // The acknowledgements of one commit leave in one write.
    if (this.#acks.push(`{"control":"ack",${refMember(ref)}"id":"${id}"}`) > 1) return;
    queueMicrotask(() => this.#sendAcks());
  }

  #sendAcks(): void {
    const acks = this.#acks;
    this.#acks = [];
    if (acks.length > 0) this.#sink.write(Buffer.concat(acks.map(encodeTextFrame)));
  }

  /** @param ref the JSON text of the frame's `ref`, which goes back as it came. */
  sendError(error: ChanctlError, ref?: string): void {
    const { code, message, hint, retryAfterSecs } = error;
    const afterMs = retryAfterSecs === undefined ? undefined : Math.ceil(retryAfterSecs * 1_000);
    const members = JSON.stringify({ code, message, fix: hint, afterMs, ...error.fields });
    this.#sink.write(encodeTextFrame(`{"control":"error",${refMember(ref)}${members.slice(1)}`));
  }

  /** Sends a frame that answers nothing. */
  send(frame: Readonly<Record<string, unknown>>): void {
    this.#sink.write(encodeTextFrame(JSON.stringify(frame)));
  }
}

/** Nothing is wrong with the message itself: whoever may come back may send it again at once. */
function notStored({ code, title }: ChanctlError): ChanctlError {
  return new ChanctlError(code, `the message is not stored: ${title}`, { retryAfterSecs: 0 });
}

/** Numbers of a `ref` may be longer than `JSON.parse` can keep: it is the client's own text. */
function refMember(ref: string | undefined): string {
  return ref === undefined ? "" : `"ref":${ref},`;
}

import type { Message } from "../protocol/message.ts";

/** A WebSocket as browsers have it; the one of the package `ws` is one. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

/** A class of WebSockets: the global one, or that of the package `ws`. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** A Web Lock is held until the promise that its callback returns has settled. */
export interface Locks {
  request(name: string, options: { readonly signal: AbortSignal }, hold: () => Promise<void>): Promise<void>;
}

/** What tabs tell each other by. */
export interface TabChannel {
  onmessage: ((event: never) => void) | null;
  postMessage(frame: TabFrame): void;
  close(): void;
}

/** What one tab tells the others of a group. */
export type TabFrame =
  /** Where is the leader? */
  | { readonly kind: "ask" }
  /** The leader: it has read up to `id`, and is live or not. */
  | { readonly kind: "at"; readonly id: string | undefined; readonly isLive: boolean }
  /** The leader: what you have read may be of another life of the stream. */
  | { readonly kind: "gap" }
  /** The leader: after `after`, this came next. */
  | { readonly kind: "message"; readonly after: string; readonly message: Message };

interface Host {
  readonly location?: { readonly origin: string };
  readonly WebSocket?: WebSocketClass;
  /** Wherever there are locks. */
  readonly BroadcastChannel: new (name: string) => TabChannel;
  readonly navigator?: { readonly locks?: Locks };
  readonly document?: { readonly visibilityState: string } & Events;
  readonly addEventListener?: Events["addEventListener"];
}

interface Events {
  addEventListener(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

/** What a browser has, and Node only in part. */
export const host: Host = globalThis;

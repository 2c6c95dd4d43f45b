import type { ChannelMessages, ChannelParams } from "../protocol/infer.ts";
import type { Message } from "../protocol/message.ts";
import type { Params } from "../protocol/stream-path.ts";
import { ChannelError } from "./channel-error.ts";
import { host } from "./host.ts";
import type { Locks, WebSocketClass } from "./host.ts";

/** The params that a channel is connected to with; any, where its definition is not given. */
export type ConnectParams<Definition> = unknown extends Definition ? Params : ChannelParams<Definition>;

/** What is published to a channel. */
export type Outgoing<Definition> = unknown extends Definition
  ? { readonly type: string; readonly data: unknown }
  : ChannelMessages<Definition>;

/** What comes from a channel. */
export type Incoming<Definition> = ToMessage<Outgoing<Definition>>;

type ToMessage<Draft> = Draft extends { readonly type: infer Type extends string; readonly data: infer Data }
  ? Message<Type, Data>
  : never;

type Token = string | null | undefined;

/** How a channel is connected to. */
export interface ConnectOptions {
  /** Where the server is. @default the page's origin */
  readonly url?: string;
  /**
   * Who this is; sent as a Bearer token. A function is asked for each connection, and before what the app granted
   * ends; `refused` is the token that the server has just refused. An empty one, `undefined` and `null` are none.
   * @default the cookies of the page
   */
  readonly token?: string | ((refused?: string) => Token | Promise<Token>);
  /**
   * Where to begin: the last so many messages, or those of the last `"10m"`. Afterwards the client goes on from what
   * it has read; after a gap it begins so again. @default what comes from now on
   */
  readonly rewind?: number | string;
  /** Begin after the message with this id, or with the oldest that is retained: `"start"`. Comes before `rewind`. */
  readonly lastMessageId?: string;
  /** `ws` or `sse` alone. @default WebSocket, and Server-Sent Events where there can be none */
  readonly transport?: "ws" | "sse";
  /** A class of WebSockets, such as that of the package `ws`. @default the global one, if there is one */
  readonly webSocket?: WebSocketClass;
  /** Tabs that read the same use one connection. @default true, in pages served by HTTPS or from localhost */
  readonly share?: boolean;
  /** How many publishes may wait to be stored. @default 1,000 */
  readonly maxQueued?: number;
  /** A connection is made anew when nothing was heard for so long; more than twice the channel's keepalive. @default 60 s */
  readonly silenceMs?: number;
}

/** The options, with everything filled in. */
export interface ResolvedOptions extends Pick<ConnectOptions, "token" | "transport"> {
  readonly maxQueued: number;
  readonly silenceMs: number;
  readonly webSocket: WebSocketClass | undefined;
  /** The channel with its params: the same for all that read the same. */
  readonly url: string;
  /** The same with where to begin without an id. */
  readonly startUrl: string;
  /** Where tabs share: not outside of a page, on plain HTTP, in an old browser. */
  readonly locks: Locks | undefined;
  readonly lastId: string | undefined;
}

/** @throws {ChannelError} `usage` where there is no page and so no server. */
export function resolveConnectOptions(
  name: string,
  given: ConnectOptions & { readonly params?: object },
): ResolvedOptions {
  const {
    params = {},
    rewind,
    lastMessageId,
    transport,
    maxQueued = 1_000,
    silenceMs = 60_000,
    share = true,
  } = given;
  const base = given.url ?? host.location?.origin;
  if (!base) {
    throw new ChannelError("usage", "`url` must be given where there is no page");
  }
  const url = withQuery(new URL(`/channels/${name}`, base), params);
  const isStart = lastMessageId === "start";
  const locks = share && host.document ? host.navigator?.locks : undefined;
  const webSocket = transport === "sse" ? undefined : (given.webSocket ?? host.WebSocket);
  if (transport === "ws" && !webSocket) {
    throw new ChannelError("usage", "`webSocket` must be given where there is none");
  }
  return {
    ...given,
    maxQueued,
    silenceMs,
    url,
    startUrl: withQuery(url, { rewind, last_message_id: isStart ? lastMessageId : undefined }),
    lastId: isStart ? undefined : lastMessageId,
    webSocket,
    locks,
  };
}

/** A URL with these params, in the order of their names, so that the same params are the same URL. */
export function withQuery(url: URL | string, params: object): string {
  const changed = new URL(url);
  for (const [param, value] of Object.entries(params)) {
    if (value !== undefined) changed.searchParams.set(param, String(value));
  }
  changed.searchParams.sort();
  return changed.href;
}

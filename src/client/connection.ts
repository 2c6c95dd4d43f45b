import type { Message } from "../protocol/message.ts";
import { ChannelError } from "./channel-error.ts";
import { resolveConnectOptions } from "./connect-options.ts";
import type { ConnectOptions, ConnectParams, Incoming, Outgoing } from "./connect-options.ts";
import type { Gap } from "./ending.ts";
import { createFeed } from "./message-feed.ts";
import { postMessage } from "./post-message.ts";
import { createPublishQueue } from "./publish-queue.ts";
import type { Publish, Settled } from "./publish-queue.ts";
import { createReader } from "./reader.ts";
import { tokensFrom } from "./token-source.ts";

/** `connecting`, for the first time or again; `live`; `closed` for good. */
export type Status = "connecting" | "live" | "closed";

/** What a connection tells of. */
export interface ConnectionEvents<Definition> {
  /** A message: each once, in order. */
  readonly message: Incoming<Definition>;
  /** Some of what was missed can no longer be read. What comes next begins where `rewind` says, else at the tail. */
  readonly gap: Gap;
  readonly status: Status;
  /** The connection is closed for good, and this is why. */
  readonly error: ChannelError;
}

/** A connection to a channel, which outlives whatever happens to the network until it is closed. */
export interface Connection<Definition = unknown> extends AsyncIterable<Incoming<Definition>> {
  readonly status: Status;
  /** Why it is closed, where `close` was not called. */
  readonly error: ChannelError | undefined;
  /** Calls the handler for each event until the returned function is called. */
  on<Name extends keyof ConnectionEvents<Definition>>(
    name: Name,
    handler: (event: ConnectionEvents<Definition>[Name]) => void,
  ): () => void;
  /**
   * Publishes a message; resolves once it is durable. While there is no connection it waits, and is stored once
   * however often it had to be sent.
   *
   * @throws {ChannelError} what the server refused it with; `queue_full`; `connection_closed`: it may be stored or not.
   */
  publish(message: Outgoing<Definition>): Promise<{ readonly id: string }>;
  /**
   * Asks `token` for another token and shows it to the server, without a gap. It is asked by itself before what the
   * app granted ends. Rejects as the function does.
   */
  refresh(): Promise<void>;
  /** Ends the connection and every `for await`. Publishes that wait are given up. */
  close(): void;
}

/** The options may be left out where no param is needed. */
export type ConnectArguments<Definition> =
  Readonly<Record<string, never>> extends ConnectParams<Definition>
    ? [options?: ConnectOptions & { readonly params?: ConnectParams<Definition> }]
    : [options: ConnectOptions & { readonly params: ConnectParams<Definition> }];

/**
 * Connects to a channel. It begins in the next turn of the event loop: handlers that are given in this one miss nothing.
 *
 * @example
 * ```ts
 * // `chat` is an `import type` of channels/chat.ts: nothing of it is loaded
 * const room = connect<typeof chat>("chat", { params: { room: "lobby" }, rewind: 50 });
 * room.on("message", (message) => show(message.data.text));
 * await room.publish({ type: "message", data: { text: "hi" } });
 * ```
 * @throws {ChannelError} `usage` where `url` is needed.
 */
export function connect<Definition = unknown>(
  name: string,
  ...[given = {}]: ConnectArguments<Definition>
): Connection<Definition> {
  const options = resolveConnectOptions(name, given);
  const handlers = new Set<readonly [name: string, handler: (event: never) => void]>();
  const tokens = tokensFrom(options.token);
  const queue = createPublishQueue(options.maxQueued);
  const feed = createFeed<Message>();
  const closing = new AbortController();
  const { signal } = closing;
  const postUrl = options.url.replace(/\?|$/, "/messages$&");
  let status: Status = "connecting";
  let error: ChannelError | undefined;

  /** What a handler throws is the page's affair: it must not end the reading, and must not go unseen. */
  const emit = (event: keyof ConnectionEvents<unknown>, value: unknown): void => {
    for (const [name, handler] of handlers) {
      try {
        if (name === event) handler(value as never);
      } catch (thrown) {
        void Promise.reject(thrown);
      }
    }
  };
  const whyClosed = (): ChannelError =>
    error ?? new ChannelError("connection_closed", "the connection is closed");
  const setStatus = (next: Status): void => {
    if (status === next || status === "closed") return;
    status = next;
    emit("status", status);
  };
  const post = async (publish: Publish): Promise<void> => {
    const attempt = (token: string | undefined) => postMessage(publish, { url: postUrl, token, signal });
    let settled: Settled = { kind: "passing" };
    try {
      const token = await tokens.last();
      settled = await attempt(token);
      const isRefused = settled.kind === "refused" && settled.error.status === 401;
      if (isRefused && tokens.isRenewable) settled = await attempt(await tokens.next(token));
    } catch {
      // There is no token to be had now.
    }
    queue.settle(publish.key, settled);
  };
  const reader = createReader({
    options,
    tokens,
    feed,
    queue,
    poster: { window: 1, send: (publish) => void post(publish) },
    emit,
    onLive: (isLive) => setStatus(isLive ? "live" : "connecting"),
    signal,
  });
  const end = (reason?: ChannelError): void => {
    if (status === "closed") return;
    error = reason;
    closing.abort();
    setStatus("closed");
    queue.close(whyClosed());
    feed.close(reason);
    if (reason) emit("error", reason);
  };
  void Promise.resolve().then(reader.run).then(end);

  const connection: Connection = {
    get status() {
      return status;
    },
    get error() {
      return error;
    },
    on(...given) {
      handlers.add(given);
      return () => void handlers.delete(given);
    },
    publish: async (message) => {
      if (status === "closed") throw whyClosed();
      return queue.add(message);
    },
    refresh: reader.refresh,
    close: () => end(),
    [Symbol.asyncIterator]: feed.iterate,
  };
  return connection as unknown as Connection<Definition>;
}

import type { Allowed, CallTransport, HeaderCredential, Operation, Rejected } from "../protocol/app-call.ts";
import type { AuthSource, Transport } from "../protocol/definition.ts";
import type { Params } from "../protocol/stream-path.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";
import type { InferFilledParams, InferMessage, InferParams, MessageTypes } from "../protocol/infer.ts";
import type { OutgoingMessage, PublishOptions } from "./publish.ts";

/** What `verify` is told about a caller. */
export interface VerifyRequest<Params> {
  /** The params as the schema says: coerced, defaults filled in, valid. */
  readonly params: Params;
  readonly operation: Operation;
  /** What the caller came over; `ds` is Durable Streams. */
  readonly transport: CallTransport;
  /** The credential in the header that `auth.headerName` names, or a token that stands in for it. */
  readonly header?: HeaderCredential;
  /** The value of the cookie that `auth.cookieName` names. */
  readonly cookie?: string;
  readonly origin?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  /** Whom the caller's JWT names, where the broker verifies JWTs (`jwt` in the config). */
  readonly subject?: string;
}

/** What `onPublish` is told about a client's message. */
export interface PublishRequest<Params, Message> {
  /** The message as the client sent it; it fits `messages`. */
  readonly message: Message;
  readonly params: Params;
  /** Who publishes, as `verify` said. */
  readonly subject?: string;
  readonly transport: CallTransport;
}

/** A channel as its author writes it. */
export interface ChannelOptions<
  ParamsSchema extends object,
  Messages extends Readonly<Record<string, object>>,
> extends Partial<Lifecycle> {
  /** `sse`: clients only read. `ws`: clients may also publish. @default "sse" */
  readonly transport?: Transport;
  /** JSON Schema of the params, an object schema. Each distinct set of params is a stream of its own. @default none */
  readonly paramsSchema?: ParamsSchema;
  /** JSON Schema of `data` by message type, checked on every publish. @default any type and data */
  readonly messages?: Messages;
  /** What of a request `verify` gets to see. */
  readonly auth?: AuthSource;
  /** `true`: anyone may read and, on `ws`, publish. Instead of `auth` and `verify`. @default false */
  readonly public?: boolean;
  /** Says who may connect. Whatever it throws keeps the caller out. */
  verify?(
    request: VerifyRequest<InferFilledParams<ParamsSchema>>,
  ): Allowed | Rejected | Promise<Allowed | Rejected>;
  /** Sees each client's message before it is stored: returns it, changed if need be, or `reject(…)`; nothing means as it is. */
  onPublish?(
    request: PublishRequest<InferFilledParams<ParamsSchema>, InferMessage<Messages>>,
  ): PublishVerdict<Messages> | Promise<PublishVerdict<Messages>>;
}

// `void`: up to TypeScript 5.9 a function without `return` is not seen to return `undefined`.
type PublishVerdict<Messages> = InferMessage<Messages> | Rejected | void | undefined;

/** What a publish has stored. */
export interface Published {
  /** The id of the message, of the last one where there were several: whoever reads from it misses nothing after. */
  readonly id: string;
  /** The ids of all, in order. */
  readonly ids: readonly string[];
}

/** A defined channel: what the broker reads as a definition, and what the app publishes to. */
export interface Channel<
  ParamsSchema extends object,
  Messages extends Readonly<Record<string, object>>,
> extends ChannelOptions<ParamsSchema, Messages> {
  /**
   * Publishes one message, or several that are stored together or not at all; resolves once they are durable.
   *
   * Goes on trying through a restart of the broker, and carries a key, so that they are stored once.
   * Messages of one stream that are published at the same time are stored in the order of the calls, and travel
   * together; a batch, or one with `options`, travels alone.
   *
   * @throws {ChanctlError} the broker's own code (`message_invalid`, `params_invalid`, `too_big`…); `not_bound`
   *   before `createChannels` or `loadChannels` has named the channel; `cannot_connect` after `timeoutMs`.
   */
  // One signature: with an overload for several, the compiler's word on a mistake would be both of them in full.
  publish(
    params: InferParams<ParamsSchema>,
    messages:
      | MessageTypes<Messages>[keyof Messages & string]
      | readonly MessageTypes<Messages>[keyof Messages & string][],
    options?: PublishOptions,
  ): Promise<Published>;
  /** @internal Gives the channel the name of its file. */
  bindName(name: string): void;
}

/**
 * Any channel, as the app answers for it. Not `Channel` with wide type parameters: TypeScript 5 compares those
 * by their variance and finds that a channel with one message type is none with any.
 */
export interface AnyChannel {
  readonly public?: boolean;
  verify?(request: VerifyRequest<Params>): Allowed | Rejected | Promise<Allowed | Rejected>;
  onPublish?(
    request: PublishRequest<Params, OutgoingMessage>,
  ): OutgoingMessage | Rejected | void | undefined | Promise<OutgoingMessage | Rejected | void | undefined>;
  publish(params: never, message: never): Promise<unknown>;
  /** @internal */
  bindName(name: string): void;
}

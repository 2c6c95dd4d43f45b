import { isDefinedChannel } from "../protocol/channel-export.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { AnyChannel, Channel, ChannelOptions } from "./channel.ts";
import { DEFAULT_TIMEOUT_MS, publishBody, toQuery } from "./publish.ts";
import type { OutgoingMessage, PublishOptions } from "./publish.ts";
import { PublishQueue } from "./publish-queue.ts";
import { startError } from "./start-error.ts";

/**
 * Defines a channel: the default export of a file in `channels/`, whose name is the channel's.
 *
 * The types of params and messages flow from the schemas to `verify`, `onPublish` and `publish`.
 *
 * @example
 * ```ts
 * export default defineChannel({
 *   transport: "ws",
 *   paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
 *   public: true,
 * });
 * ```
 */
export function defineChannel<
  // The schema of a channel without params. Written out: a project that emits declarations could not name it.
  const ParamsSchema extends object = { readonly type: "object"; readonly properties: object },
  const Messages extends Readonly<Record<string, object>> = Readonly<Record<string, object>>,
>(options: ChannelOptions<ParamsSchema, Messages>): Channel<ParamsSchema, Messages> {
  let name: string | undefined;
  /** By the params' query; only of streams that are being published to. */
  const queues = new Map<string, PublishQueue>();
  const queueOf = (channel: string, query: string): PublishQueue => {
    const queue =
      queues.get(query) ??
      new PublishQueue({
        send: (body, options) => publishBody({ channel, query, body }, options),
        timeoutMs: DEFAULT_TIMEOUT_MS,
        onIdle: () => queues.delete(query),
      });
    queues.set(query, queue);
    return queue;
  };
  const methods = {
    async publish(
      params: object,
      messages: OutgoingMessage | readonly OutgoingMessage[],
      publishOptions: PublishOptions = {},
    ) {
      if (name === undefined) throw notBound();
      const query = toQuery(params);
      // A batch is stored as one, and a key, a time-out or a signal of its own cannot be shared with others.
      const isAlone =
        Array.isArray(messages) || Object.values(publishOptions).some((option) => option !== undefined);
      const ids = isAlone
        ? await publishBody({ channel: name, query, body: JSON.stringify(messages) }, publishOptions)
        : [await queueOf(name, query).publish(messages)];
      return { id: ids.at(-1), ids };
    },
    bindName(given: string): void {
      if (name !== undefined && name !== given) throw boundTwice(name, given);
      name = given;
    },
  };
  // The methods stand on the prototype: the broker reads a definition by its own keys.
  return Object.assign(Object.create(methods) as object, options) as Channel<ParamsSchema, Messages>;
}

function notBound(): ChanctlError {
  return new ChanctlError("not_bound", "a channel must have its name before it is published to", {
    hint: 'const channels = createChannels({ chat })     at the app\'s start, or\nconst channels = await loadChannels("./channels")',
  });
}

function boundTwice(name: string, given: string): ChanctlError {
  return startError(`a channel must have one name, this one is \`${name}\`, got \`${given}\` too`, {
    hint: "call defineChannel once for each channel",
  });
}

/** Whether a value is what `defineChannel` returns. A copy of this module made it, perhaps not this one. */
export function isChannel(value: unknown): value is AnyChannel {
  return isDefinedChannel(value);
}

import { channelNameProblem, usableChannelName } from "../protocol/channel-name.ts";
import { describeShape } from "../shared/describe-shape.ts";
import type { Answerers } from "./answer-call.ts";
import type { AnyChannel } from "./channel.ts";
import { isChannel } from "./define-channel.ts";
import { fetchHandler } from "./fetch-handler.ts";
import { nodeMiddleware } from "./node-middleware.ts";
import type { NodeMiddleware } from "./node-middleware.ts";
import { startError } from "./start-error.ts";
import type { AuthorizeStream } from "./stream-request.ts";

/** The app's channels, ready to answer the broker. */
export interface Channels {
  /**
   * For Node servers: `app.use(channels.middleware)` in Express, Connect and Fastify's middie. Answers the broker's
   * two calls and passes on everything else.
   */
  readonly middleware: NodeMiddleware;
  /** For servers of the Fetch API: Hono, Bun, Deno, Next's route handlers. Answers 404 to what is no call of the broker. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/** What the app says beside its channels. */
export interface ChannelsOptions {
  /** Says who may do what with raw streams. @default nobody may, but for what the broker's settings allow */
  readonly authorizeStream?: AuthorizeStream;
}

/**
 * Names the app's channels, so that they can be published to, and answers the broker for them.
 *
 * @example
 * ```ts
 * const channels = createChannels({ chat, "game/moves": moves });
 * app.use(channels.middleware);
 * ```
 * @throws {ChanctlError} `definition_invalid` if a name cannot be a channel's, or what it names is none.
 */
export function createChannels(
  channels: Readonly<Record<string, AnyChannel>>,
  { authorizeStream }: ChannelsOptions = {},
): Channels {
  assertByName(channels);
  const byName = new Map(Object.entries(channels));
  for (const [name, channel] of byName) {
    assertName(name);
    assertChannel(name, channel);
    channel.bindName(name);
  }
  return channelsOf({ findChannel: (name) => Promise.resolve(byName.get(name)), authorizeStream });
}

/** The two faces of the app's answers. */
export function channelsOf(answerers: Answerers): Channels {
  return { middleware: nodeMiddleware(answerers), fetch: fetchHandler(answerers) };
}

function assertByName(channels: unknown): void {
  const isOne = isChannel(channels);
  if (typeof channels === "object" && channels !== null && !Array.isArray(channels) && !isOne) return;
  const came = isOne ? "a channel" : describeShape(channels);
  const message = `\`createChannels\` must be given an object of channels by their names, got ${came}`;
  throw startError(message, { hint: 'createChannels({ chat, "game/moves": moves })' });
}

function assertName(name: string): void {
  const problem = channelNameProblem(name);
  if (problem === undefined) return;
  const usable = usableChannelName(name) ?? "chat";
  throw startError(`the channel name \`${name}\` ${problem}`, {
    hint: `createChannels({ "${usable}": … })     the name of its file: channels/${usable}.ts`,
  });
}

/** By its type it is one; in plain JavaScript it may be what a file without `defineChannel` exports. */
function assertChannel(name: string, channel: unknown): void {
  if (isChannel(channel)) return;
  const message = `the channel \`${name}\` of \`createChannels\` must be what \`defineChannel\` has made, got ${describeShape(channel)}`;
  throw startError(message, {
    hint: `import channel from "./channels/${name}.js"     a file with export default defineChannel({ … })`,
  });
}

import { channelNameProblem } from "../protocol/channel-name.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Answerers } from "./answer-call.ts";
import type { AnyChannel } from "./channel.ts";
import { fetchHandler } from "./fetch-handler.ts";
import { nodeMiddleware } from "./node-middleware.ts";
import type { NodeMiddleware } from "./node-middleware.ts";
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
 * @throws {ChanctlError} `definition_invalid` if a name cannot be a channel's.
 */
export function createChannels(
  channels: Readonly<Record<string, AnyChannel>>,
  { authorizeStream }: ChannelsOptions = {},
): Channels {
  const byName = new Map(Object.entries(channels));
  for (const [name, channel] of byName) bind(name, channel);
  return channelsOf({ findChannel: (name) => Promise.resolve(byName.get(name)), authorizeStream });
}

/** Gives a channel its name, once it is known to be one. */
export function bind(name: string, channel: AnyChannel): void {
  const problem = channelNameProblem(name);
  if (problem !== undefined) {
    throw new ChanctlError("definition_invalid", `the channel name \`${name}\` ${problem}`);
  }
  channel.bindName(name);
}

/** The two faces of the app's answers. */
export function channelsOf(answerers: Answerers): Channels {
  return { middleware: nodeMiddleware(answerers), fetch: fetchHandler(answerers) };
}

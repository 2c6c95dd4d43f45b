/** The values of a channel's params after coercion. */
export type Params = Readonly<Record<string, string | number | boolean>>;

const FIRST_PARAM = /\/[^/=]+=/;

/**
 * The path of a channel's stream: its name, then its params, keys sorted: `chat/room=lobby`.
 *
 * Each distinct set of params is a stream of its own; this is its one canonical name.
 */
export function toStreamPath(channel: string, params: Params): string {
  const keys = Object.keys(params).sort();
  return [channel, ...keys.map((key) => `${key}=${encodeURIComponent(String(params[key]))}`)].join("/");
}

/** The channel that a stream's path belongs to: `chat/room=lobby` is of `chat`, `chat/x/page=1` of `chat/x`. */
export function channelOfPath(path: string): string {
  const end = path.search(FIRST_PARAM);
  return end === -1 ? path : path.slice(0, end);
}

/** The values of a channel's params after coercion. */
export type Params = Readonly<Record<string, string | number | boolean>>;

/**
 * The path of a channel's stream: its name, then its params, keys sorted: `chat/room=lobby`.
 *
 * Each distinct set of params is a stream of its own; this is its one canonical name.
 */
export function toStreamPath(channel: string, params: Params): string {
  const keys = Object.keys(params).sort();
  return [channel, ...keys.map((key) => `${key}=${encodeURIComponent(String(params[key]))}`)].join("/");
}

const SEGMENT = /^[a-z0-9][a-z0-9_-]*$/;

/** Segments that are routes of the broker below a channel's URL, so no channel may be named so. */
const RESERVED_SEGMENTS = new Set(["authorize", "on-publish", "messages"]);

const MAX_NAME_LENGTH = 200;

/**
 * Why a text cannot be a channel's name, for a person; `undefined` if it can.
 *
 * A name is one or more segments of `[a-z0-9][a-z0-9_-]*`, joined by `/`.
 */
export function channelNameProblem(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return `is longer than ${MAX_NAME_LENGTH} characters`;
  for (const segment of name.split("/")) {
    if (RESERVED_SEGMENTS.has(segment)) return `uses the reserved segment \`${segment}\``;
    if (!SEGMENT.test(segment)) {
      return `must be lower-case letters, digits, \`-\` and \`_\`, in segments joined by \`/\`, each beginning with a letter or digit`;
    }
  }
  return undefined;
}

/** The name that was probably meant, for one that cannot be a channel's: `game-moves` for `gameMoves`. */
export function usableChannelName(name: string): string | undefined {
  const near = name
    .replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "-")
    .toLowerCase()
    .replaceAll(/[^a-z0-9/_-]+/g, "-");
  // The second is for what is reserved: `messages`, `chat/messages`.
  return [near, near.replace(/[^/]*$/, "my-$&")].find((text) => channelNameProblem(text) === undefined);
}

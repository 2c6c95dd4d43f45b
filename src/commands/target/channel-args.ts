import { ChanctlError } from "../../shared/errors.ts";

/** A channel's params as typed, in order. */
export type TypedParams = readonly (readonly [name: string, value: string])[];

/** What a command was given beside its own options. */
export interface ChannelArgs {
  readonly channel: string;
  readonly params: TypedParams;
  /** What follows the channel: the data of a publish. */
  readonly rest: readonly string[];
}

/**
 * Sorts what commander did not know: operands, and `--<param> <value>` for the params of the channel.
 * Each channel has its own params, so they can only be checked once the server has told them.
 *
 * @param explicit the values of `--param name=value`, for params that are named like an option.
 * @throws {ChanctlError} `usage` if a value or the channel is missing.
 */
export function parseChannelArgs(args: readonly string[], explicit: readonly string[]): ChannelArgs {
  const operands: string[] = [];
  const params = explicit.map(parseExplicit);
  const rest = args.values();
  for (const arg of rest) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    if (match?.[1] === undefined) operands.push(arg);
    else params.push([match[1], match[2] ?? nextValue(arg, rest)]);
  }
  const [channel, ...others] = operands;
  if (channel === undefined) {
    throw new ChanctlError("usage", "the channel's name is missing", {
      hint: "chanctl channel list     shows the names",
    });
  }
  return { channel, params, rest: others };
}

function nextValue(option: string, rest: Iterator<string, undefined>): string {
  const next = rest.next();
  if (next.done !== true) return next.value;
  throw new ChanctlError("usage", `\`${option}\` needs a value`, { hint: `${option} <value>` });
}

function parseExplicit(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new ChanctlError("usage", `\`--param\` must be \`name=value\`, got \`${text}\``, {
    hint: "--param room=lobby",
  });
}

/** The params as a query; a repeated one stays repeated, for the server to refuse. */
export function toQuery(params: TypedParams): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of params) query.append(name, value);
  return query;
}

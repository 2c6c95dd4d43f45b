import { ChanctlError } from "../../shared/errors.ts";
import { parseChannelPath } from "./channel-path.ts";
import { FOLLOWS_BY_ITSELF } from "./follow-hint.ts";

/** A channel's params as typed, in order. */
export type TypedParams = readonly (readonly [name: string, value: string])[];

/** What a command was given beside its own options. */
export interface ChannelArgs {
  readonly channel: string;
  readonly params: TypedParams;
  /** What was given as `--<name>` without a value. */
  readonly valueless: readonly string[];
  /** What follows the channel: the data of a publish. */
  readonly rest: readonly string[];
}

interface ChannelArgsOptions {
  /** The command: `tail`. */
  readonly command: string;
  /** The values of `--param name=value`, for params that are named like an option. @default none */
  readonly explicit?: readonly string[] | undefined;
}

/**
 * Sorts what commander did not know: operands, and `--<param> <value>` for the params of the channel.
 * Each channel has its own params, so they can only be checked once the server has told them: a mistyped option of
 * the command (`--jsno`) looks like a param without a value. A value that begins with `--` is given as `--name=--value`.
 *
 * @throws {ChanctlError} `usage` if the channel is missing, or is no name and no stream's path, or for a short option that
 *   the command has not.
 */
export function parseChannelArgs(
  args: readonly string[],
  { command, explicit = [] }: ChannelArgsOptions,
): ChannelArgs {
  const operands: string[] = [];
  const params = explicit.map(parseExplicit);
  const valueless: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    const [, name, inlineValue] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) {
      if (/^-[a-z]/i.test(arg)) throw unknownOption(arg, command);
      operands.push(arg);
      continue;
    }
    const next = args[index + 1];
    if (inlineValue !== undefined) params.push([name, inlineValue]);
    else if (next === undefined || next.startsWith("--")) valueless.push(name);
    else {
      params.push([name, next]);
      index += 1;
    }
  }
  const [path, ...rest] = operands;
  if (path === undefined) {
    throw new ChanctlError("usage", "the channel's name is missing", {
      hint: "chanctl channel list     shows the channels",
    });
  }
  const named = parseChannelPath(path);
  return { channel: named.channel, params: [...named.params, ...params], valueless, rest };
}

/** All params are long, and data is no word that begins with a dash; `-5` is JSON. */
function unknownOption(arg: string, command: string): ChanctlError {
  const hint =
    command === "tail" && arg.toLowerCase() === "-f" ? FOLLOWS_BY_ITSELF : `chanctl ${command} --help`;
  return new ChanctlError("usage", `unknown option \`${arg}\``, { hint });
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

import type { Argument, Command, Option } from "commander";

import { parseWords } from "./words.ts";

/** One word that may come next. */
export interface Candidate {
  readonly word: string;
  /** What it is, for the shells that show it. */
  readonly about: string;
}

/** What may stand where the person types. */
export type Wanted =
  | { readonly kind: "words"; readonly candidates: readonly Candidate[] }
  /** A channel of the project. */
  | { readonly kind: "channel" }
  /** A stream of the running server. */
  | { readonly kind: "stream" }
  /** An option of the command, or a param of the channel that is not given yet. */
  | {
      readonly kind: "param";
      readonly channel: string | undefined;
      readonly given: readonly string[];
      readonly candidates: readonly Candidate[];
    }
  /** A value of a param of the channel. */
  | { readonly kind: "param-value"; readonly channel: string | undefined; readonly name: string }
  | { readonly kind: "files" }
  | { readonly kind: "anything" };

const ANYTHING: Wanted = { kind: "anything" };

/**
 * What may stand at the end of a command line.
 *
 * @param words the whole words before it, without the program's name.
 * @param current what is typed of the word so far.
 */
export function wantedAt(program: Command, words: readonly string[], current: string): Wanted {
  const { command, rest } = findCommand(program, words);
  if (rest.includes("--")) return { kind: "files" };
  const { operands, options, open } = parseWords(command, rest);
  const [channel] = operands;
  if (open?.kind === "option") return valueOf(open.option);
  if (open?.kind === "param") return { kind: "param-value", channel, name: open.name };
  if (current.startsWith("-")) return optionsOf(command, { channel, given: options });
  if (command.commands.length > 0) {
    return operands.length > 0 ? ANYTHING : { kind: "words", candidates: subcommandsOf(command) };
  }
  const argument = command.registeredArguments[operands.length];
  const isParamNext = argument === undefined || (takesParams(command) && operands.length > 0);
  return isParamNext ? optionsOf(command, { channel, given: options }) : operandOf(argument);
}

/** Whether a command takes the params of its channel as options. */
function takesParams(command: Command): boolean {
  return command.registeredArguments[0]?.name() === "channel";
}

function findCommand(
  program: Command,
  words: readonly string[],
): { command: Command; rest: readonly string[] } {
  let command = program;
  let depth = 0;
  for (const word of words) {
    const next = command.commands.find((sub) => sub.name() === word);
    if (next === undefined) break;
    command = next;
    depth += 1;
  }
  return { command, rest: words.slice(depth) };
}

function subcommandsOf(command: Command): Candidate[] {
  return command.commands.map((sub) => ({ word: sub.name(), about: sub.summary() }));
}

function optionsOf(
  command: Command,
  { channel, given }: { readonly channel: string | undefined; readonly given: readonly string[] },
): Wanted {
  const isOpen = ({ long, short, description, hidden }: Option): boolean =>
    !hidden &&
    (description.includes("repeatable") || ![long, short].some((name) => name && given.includes(name)));
  const candidates = [
    ...command.options
      .filter(isOpen)
      .flatMap(({ long, description }) => (long ? [{ word: long, about: description }] : [])),
    ...(given.length === 0 ? [{ word: "--help", about: "print help" }] : []),
  ];
  return takesParams(command) ? { kind: "param", channel, given, candidates } : { kind: "words", candidates };
}

/** The choices of `--transport <ws|sse>` are in its own text. */
function valueOf({ flags, description }: Option): Wanted {
  const value = /<([^>]+)>/.exec(flags)?.[1] ?? "";
  if (value === "file") return { kind: "files" };
  if (!value.includes("|")) return ANYTHING;
  return { kind: "words", candidates: value.split("|").map((word) => ({ word, about: description })) };
}

function operandOf(argument: Argument): Wanted {
  switch (argument.name()) {
    case "channel":
      return { kind: "channel" };
    case "path":
    case "pattern":
      return { kind: "stream" };
    case "shell":
      return {
        kind: "words",
        candidates: argument.description.split(/, | or /).map((word) => ({ word, about: "shell" })),
      };
    case "dir":
      return { kind: "files" };
    default:
      return ANYTHING;
  }
}

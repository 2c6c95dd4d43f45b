import type { Command, Option } from "commander";

/** What whole words of a command line hold, as far as completing needs it. */
interface ParsedWords {
  readonly operands: readonly string[];
  /** The options and params that are given, with their dashes. */
  readonly options: readonly string[];
  /** What the last word begins: an option, or a param, whose value comes next. */
  readonly open:
    | { readonly kind: "option"; readonly option: Option }
    | { readonly kind: "param"; readonly name: string }
    | undefined;
}

/** Sorts the words after a command's name. What no option of the command is named like is a param with a value. */
export function parseWords(command: Command, words: readonly string[]): ParsedWords {
  const operands: string[] = [];
  const options: string[] = [];
  let open: ParsedWords["open"];
  for (const word of words) {
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    const [name = word] = word.split("=");
    options.push(name);
    if (word.includes("=")) continue;
    const option = command.options.find(({ short, long }) => short === name || long === name);
    if (option?.required) open = { kind: "option", option };
    else if (option === undefined && name.startsWith("--")) open = { kind: "param", name: name.slice(2) };
  }
  return { operands, options, open };
}

/** Puts `--room`, `=`, `lo` together again: bash takes words apart at `=`. */
export function joinEquals(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const isJoined = word === "=" || words[index - 1] === "=";
    const last = joined.at(-1);
    if (isJoined && last?.startsWith("--")) joined[joined.length - 1] = last + word;
    else joined.push(word);
  }
  return joined;
}

import { statSync } from "node:fs";
import { resolve } from "node:path";

import type { Command } from "commander";

import { ChanctlError } from "../shared/errors.ts";
import { joinShellWords } from "./server/shell-words.ts";

/**
 * Refuses words of `dev` that stand before `--`: commander would take them for the app's command, and who writes
 * `dev ./my-app` means the folder.
 *
 * @throws {ChanctlError} `usage` with the command that was meant.
 */
export function assertNoStrayWords(
  program: Command,
  { args, cwd }: { readonly args: readonly string[]; readonly cwd: string },
): void {
  const command = program.commands.find((sub) => sub.name() === "dev" && args[0] === "dev");
  if (command === undefined) return;
  const { words, options, after } = sortWords(command, args.slice(1));
  const [word = ""] = words;
  if (words.length === 0) return;
  const line = (...parts: readonly string[]): string => joinShellWords(parts, process.platform);
  const dev = line("chanctl", "dev", ...options);
  const app = [...words, ...after];
  const folder = resolve(cwd, word);
  const cd = folder === cwd ? "" : `${line("cd", word)} && `;
  const isPort = words.length === 1 && /^\d{1,5}$/.test(word);
  const hint =
    words.length === 1 && isFolder(folder)
      ? `${cd}${dev}`
      : isPort
        ? line("chanctl", "dev", "--port", word, ...options)
        : `${dev} -- ${line(...app)}\n${dev} --app ${JSON.stringify(line(...app))}     where the shell or npm takes the \`--\` away`;
  throw new ChanctlError("usage", `what starts the app must follow \`--\`, got \`${word}\` before it`, {
    hint,
  });
}

interface SortedWords {
  readonly words: readonly string[];
  /** With their values. */
  readonly options: readonly string[];
  /** What follows `--`, or what they lead up to. */
  readonly after: readonly string[];
}

function sortWords(command: Command, args: readonly string[]): SortedWords {
  const words: string[] = [];
  const options: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (arg === "--") return { words, options, after: args.slice(index + 1) };
    if (!arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    const [flag] = arg.split("=");
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    // Without words before it commander tells of it; after some it is one more of the app's.
    if (option === undefined) return { words, options, after: args.slice(index) };
    options.push(arg);
    const next = args[index + 1];
    const takesNext =
      flag === arg && (option.required || (option.optional && next?.startsWith("-") === false));
    if (!takesNext || next === undefined) continue;
    options.push(next);
    index += 1;
  }
  return { words, options, after: [] };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

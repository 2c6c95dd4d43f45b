import type { Command, CommanderError } from "commander";

import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError } from "../shared/errors.ts";
import { optionMeant } from "./option-meant.ts";

/** What commander found wrong with the arguments, as an error for a person. */
export function toUsageError(
  error: CommanderError,
  { program, args }: { readonly program: Command; readonly args: readonly string[] },
): ChanctlError {
  const [text = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const message = text.replaceAll(/'([^']*)'/g, "`$1`");
  const command = namedCommand(program, args);
  const misplaced = error.code === "commander.unknownOption" ? misplacedOption({ program, args }) : undefined;
  const meant = error.code === "commander.unknownCommand" ? commandMeant(command, message) : undefined;
  const other =
    error.code === "commander.unknownOption" ? optionMeant(commandPath(command), args) : undefined;
  const hint = misplaced ?? other ?? meant ?? readSuggestion(suggestion) ?? `${commandPath(command)} --help`;
  return new ChanctlError("usage", message, { hint });
}

/**
 * Refuses to help with a command that there is not: commander would show the program's own help.
 *
 * @throws {ChanctlError} `usage` with the command that was meant.
 */
export function assertCommandsExist(program: Command, args: readonly string[]): void {
  let command = program;
  for (const word of args.filter((arg) => !arg.startsWith("-"))) {
    if (command.commands.length === 0) return;
    const next = command.commands.find((sub) => sub.name() === word);
    if (next === undefined) {
      const near = didYouMean(
        word,
        command.commands.map((sub) => sub.name()),
      );
      throw new ChanctlError("usage", `unknown command \`${word}\``, {
        hint: near === undefined ? `${commandPath(command)} --help` : `did you mean \`${near}\`?`,
      });
    }
    command = next;
  }
}

/** `chanctl DEV`, `chanctl version`: what no distance of letters finds. */
function commandMeant(command: Command, text: string): string | undefined {
  const typed = /`(.*)`/.exec(text)?.[1] ?? "";
  if (command.parent === null && typed.toLowerCase() === "version") return `${command.name()} --version`;
  const near = didYouMean(
    typed,
    command.commands.map((sub) => sub.name()),
  );
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

/** An option in front of the command: options belong to a command and follow it. */
function misplacedOption({
  program,
  args,
}: {
  readonly program: Command;
  readonly args: readonly string[];
}): string | undefined {
  const [first = ""] = args;
  const command = program.commands.find((sub) => args.includes(sub.name()));
  if (!first.startsWith("-") || command === undefined) return undefined;
  const flags = command.options.flatMap(({ short, long }) => [short ?? [], long ?? []].flat());
  const [typed = first] = first.split("=");
  const near = flags.includes(typed) ? typed : didYouMean(typed, flags);
  return near === undefined ? undefined : `${commandPath(command)} ${near}     options follow the command`;
}

/** `(Did you mean one of --a, --b?)`, with the names marked as such. */
function readSuggestion(text: string | undefined): string | undefined {
  const names = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(text ?? "")?.[1]?.split(", ");
  return names && `did you mean ${names.map((name) => `\`${name}\``).join(" or ")}?`;
}

/** The command that the arguments name, as deep as they name one. */
function namedCommand(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((sub) => sub.name() === arg);
    if (next !== undefined) command = next;
  }
  return command;
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`;
}

import type { Command } from "commander";

import { ChanctlError } from "../shared/errors.ts";

/**
 * Refuses an option as the value of the one before it (`--type --no-follow`): commander would take it, and the command
 * would do something else than was asked. A value that is named like an option is given as `--type=--no-follow`.
 *
 * @throws {ChanctlError} `usage`.
 */
export function assertNoOptionAsValue(program: Command, args: readonly string[]): void {
  let command = program;
  for (const [index, arg] of args.entries()) {
    if (arg === "--") return;
    const next = args[index + 1];
    const taker = command.options.find(
      (option) => option.required && (arg === option.long || arg === option.short),
    );
    if (taker !== undefined && next !== undefined && isOptionOf(command, next)) {
      throw new ChanctlError("usage", `\`${arg}\` needs a value, got the option \`${next}\``, {
        hint: taker.flags.split(", ").at(-1) ?? arg,
      });
    }
    command = command.commands.find((sub) => sub.name() === arg) ?? command;
  }
}

function isOptionOf(command: Command, arg: string): boolean {
  return arg.startsWith("--") && command.options.some(({ long }) => long === arg.split("=")[0]);
}

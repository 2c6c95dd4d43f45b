import type { Command } from "commander";

/** Collects a repeatable option, for commander. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

/** The long options of a command, without their dashes: what a mistyped param may have meant. */
export function optionNames(command: Command): readonly string[] {
  return command.options.flatMap(({ long }) => (long ? [long.slice(2)] : []));
}

import type { Argument, HelpConfiguration, Option } from "commander";

import { commandLines } from "./command-text.ts";
import { textColumns, wrapColumns } from "./terminal-text.ts";

/** A help is not drawn wider, however wide the terminal: long lines are hard to read. */
const MAX_COLUMNS = 100;
/** The longest term of an option has room; a narrower terminal breaks lines itself. */
const MIN_COLUMNS = 40;
/** A column of descriptions that is narrower than this would be a word a line; then they go below their terms. */
const MIN_DESCRIPTION_COLUMNS = 24;
const BELOW_INDENT = 6;

/** How wide a help is drawn on a terminal of so many columns. */
export function helpColumns(columns: number): number {
  return Math.min(Math.max(columns, MIN_COLUMNS), MAX_COLUMNS);
}

/** How commander lays out a help of so many columns. */
export function helpLayout(columns: number): HelpConfiguration {
  return {
    helpWidth: columns,
    visibleCommands: ({ commands }) => [...commands], // `help [command]` works and need not be listed
    subcommandTerm: (command) => command.name(),
    optionDescription: withDefault,
    argumentDescription: withDefault,
    formatItem: (term, termWidth, description) => {
      const column = termWidth + 4;
      const isBeside = columns - column >= MIN_DESCRIPTION_COLUMNS;
      const indent = isBeside ? column : BELOW_INDENT;
      const lines = wrapColumns(description, columns - indent).map((line) => " ".repeat(indent) + line);
      if (!isBeside) return [`  ${term}`, ...lines].join("\n");
      return `  ${term.padEnd(termWidth)}  ${lines.join("\n").slice(column)}`;
    },
  };
}

/** Says a default as all texts say theirs: at the end, in brackets. */
function withDefault({ description, defaultValue }: Option | Argument): string {
  return typeof defaultValue === "string" ? `${description} (${defaultValue})` : description;
}

/**
 * Breaks the lines of a help that are wider than `columns`: a sentence at its spaces, below what follows its label
 * (`Exit codes: `); an example so that it still runs, with what it is for below it.
 *
 * ```
 *   $ chanctl dev --host
 *       phones too: scan the QR code
 * ```
 */
export function fitHelp(text: string, columns: number): string {
  const lines = text.split("\n");
  return lines
    .flatMap((line) => (textColumns(line) <= columns ? [line] : breakLine(line, columns)))
    .join("\n");
}

function breakLine(line: string, columns: number): readonly string[] {
  const [, lead, example = ""] = /^( {2}(?:\$ |\S+ {2,}))(.*)$/.exec(line) ?? [];
  if (lead !== undefined) return hang(lead, exampleLines(example, columns - lead.length));
  const [label = ""] = /^(?:\S+ )?\S+: /.exec(line) ?? [];
  return hang(label, wrapColumns(line.slice(label.length), columns - label.length));
}

function exampleLines(example: string, columns: number): readonly string[] {
  const [command = "", purpose] = example.split(/ {3,}/, 2);
  const purposeLines = purpose === undefined ? [] : wrapColumns(purpose, columns - 2);
  return [...commandLines(command, columns), ...purposeLines.map((line) => `  ${line}`)];
}

function hang(lead: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => (index === 0 ? lead : " ".repeat(lead.length)) + line);
}

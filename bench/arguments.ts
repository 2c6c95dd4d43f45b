import { parseArgs } from "node:util";
import { ChanctlError, messageOf } from "#src/shared/errors.ts";

/** What `npm run bench -- …` was asked for. */
export interface Arguments {
  readonly isHelp: boolean;
  /** The short form. */
  readonly isQuick: boolean;
  /** Beginnings of the names of the scenarios to run; all if empty. */
  readonly only: readonly string[];
  readonly rounds: number;
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run bench -- [--quick] [--only <scenario>]… [--rounds <n>]

  --quick            one short round with fewer subscribers, under two minutes
  --only <scenario>  only the scenarios whose names begin so; repeatable
  --rounds <n>       how often everything is measured (3; with --quick 1)

Exits with 1 if chanctl lost, doubled or reordered a message.
`;

/** @throws {ChanctlError} `usage` naming the argument and what came. */
export function parseArguments(args: readonly string[]): Arguments {
  const { help, quick, only, rounds } = parseFlags(args);
  const count = Number(rounds ?? (quick ? 1 : 3));
  if (!Number.isInteger(count) || count < 1) {
    throw new ChanctlError("usage", `\`--rounds\` must be a positive whole number, got \`${rounds}\``);
  }
  return { isHelp: help, isQuick: quick, only, rounds: count };
}

interface Flags {
  readonly help: boolean;
  readonly quick: boolean;
  readonly only: string[];
  readonly rounds?: string | undefined;
}

function parseFlags(args: readonly string[]): Flags {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        quick: { type: "boolean", default: false },
        only: { type: "string", multiple: true, default: [] },
        rounds: { type: "string" },
      },
    }).values;
  } catch (cause) {
    throw new ChanctlError("usage", messageOf(cause), { cause, hint: "npm run bench -- --help" });
  }
}

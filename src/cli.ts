#!/usr/bin/env node
import { Command, CommanderError } from "commander";

import { withCommandInHint } from "./commands/flag-hint.ts";
import { fitHelp, helpColumns, helpLayout } from "./commands/help.ts";
import { processIo } from "./commands/io.ts";
import type { Io } from "./commands/io.ts";
import { printError } from "./commands/print-error.ts";
import { assertNoStrayWords } from "./commands/stray-words.ts";
import { assertNoOptionAsValue } from "./commands/swallowed-option.ts";
import { assertCommandsExist, toUsageError } from "./commands/usage-error.ts";
import { readPackageVersion } from "./platform/package-version.ts";
import { ChanctlError } from "./shared/errors.ts";

/** Adds a command to the program: its options, its help, what it runs. */
type Register = (program: Command, io: Io) => void;

interface CommandEntry {
  readonly name: string;
  readonly group: string;
  readonly load: () => Promise<Register>;
}

// A command's module is imported only when it is named, or all are listed: `--version` must be instant.
const COMMANDS: readonly CommandEntry[] = [
  { name: "init", group: "Start:", load: async () => (await import("./commands/init.ts")).registerInit },
  { name: "dev", group: "Start:", load: async () => (await import("./commands/dev.ts")).registerDev },
  { name: "serve", group: "Start:", load: async () => (await import("./commands/serve.ts")).registerServe },
  { name: "trust", group: "Start:", load: async () => (await import("./commands/trust.ts")).registerTrust },
  {
    name: "channel",
    group: "Channels:",
    load: async () => (await import("./commands/channel.ts")).registerChannel,
  },
  { name: "tail", group: "Channels:", load: async () => (await import("./commands/tail.ts")).registerTail },
  {
    name: "publish",
    group: "Channels:",
    load: async () => (await import("./commands/publish.ts")).registerPublish,
  },
  {
    name: "stream",
    group: "Durable Streams:",
    load: async () => (await import("./commands/stream.ts")).registerStream,
  },
  {
    name: "token",
    group: "Durable Streams:",
    load: async () => (await import("./commands/token.ts")).registerToken,
  },
  { name: "doctor", group: "Help:", load: async () => (await import("./commands/doctor.ts")).registerDoctor },
  {
    name: "completion",
    group: "Help:",
    load: async () => (await import("./commands/completion.ts")).registerCompletion,
  },
];

/** The hidden command of the shells' completion scripts. */
const COMPLETE = "__complete";

const EXAMPLE = `A durable realtime broker and real local HTTPS in front of any web app.

  $ npx chanctl init                       a chat that runs, in an empty folder
  $ npx chanctl dev                        the app on https://localhost:4433
  $ npx chanctl tail chat --room lobby     its messages, in a second terminal
`;

const FOOTER = `
Exit codes: 0 ok, 1 failure, 2 usage, 3 config or definition invalid, \
4 no terminal to ask on, 5 cannot connect, 130 and 143 on signals
No telemetry: chanctl sends nothing about you or your app to anyone.`;

async function runCli(args: readonly string[], io: Io): Promise<void> {
  try {
    if (args[0] === COMPLETE) await completeWords(args.slice(1), io);
    else await runProgram(args, io);
  } catch (error) {
    // Who ended because the reader has what it wanted (`| head`) did not fail.
    if (io.outputClosed.aborted && !(error instanceof ChanctlError)) return;
    io.setExitCode(printError(withCommandInHint(error, namedCommand(args)?.name), io));
  }
}

async function runProgram(given: readonly string[], io: Io): Promise<void> {
  const [first = ""] = given;
  const asksFirst = ["help", "-h", "--help"].includes(first); // `--help dev` is `dev --help`
  const args = asksFirst ? [...given.slice(1).filter((arg) => arg !== "help"), "--help"] : given;
  const program = await createProgram(args, io);
  if (args.some((arg) => arg === "-h" || arg === "--help")) assertCommandsExist(program, args);
  else {
    assertNoOptionAsValue(program, args);
    assertNoStrayWords(program, { args, cwd: io.cwd });
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander throws for help and version too; those have been printed and are no errors.
    if (error.code === "commander.help") io.setExitCode(2);
    else if (error.exitCode !== 0) throw toUsageError(error, { program, args });
  }
}

/** What the shells' scripts ask: the words of a command line, the last of them being typed. */
async function completeWords(line: readonly string[], io: Io): Promise<void> {
  const words = line[0] === "help" && line.length > 1 ? line.slice(1) : line;
  const program = await createProgram(words.slice(0, -1), io);
  const { runComplete } = await import("./commands/completion/run-complete.ts");
  await runComplete(words, { program, io });
}

async function createProgram(args: readonly string[], io: Io): Promise<Command> {
  const columns = helpColumns(io.columns);
  const program = new Command("chanctl")
    .version(await readPackageVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help, or a command's")
    .usage("<command> [options]")
    .addHelpText("before", EXAMPLE)
    .addHelpText("after", FOOTER)
    .configureHelp(helpLayout(columns))
    .configureOutput({
      writeOut: (text) => io.stdout(fitHelp(text, columns)),
      writeErr: (text) => io.stderr(fitHelp(text, columns)),
      outputError: () => {}, // printed by `onCommanderError`, in the form that all errors have
    })
    .exitOverride();
  const named = namedCommand(args);
  const isVersion = named === undefined && args.some((arg) => arg === "-v" || arg === "--version");
  const wanted = named === undefined ? COMMANDS : [named];
  for (const { group, load } of isVersion ? [] : wanted) (await load())(program.commandsGroup(group), io);
  return program;
}

/** The command that the arguments name; the program itself has no option that takes a value. */
function namedCommand(args: readonly string[]): CommandEntry | undefined {
  const name = args.find((arg) => !arg.startsWith("-"));
  return COMMANDS.find((command) => command.name === name);
}

await runCli(process.argv.slice(2), processIo());

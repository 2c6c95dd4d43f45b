#!/usr/bin/env node
import { Command, CommanderError } from "commander";

import { processIo } from "./commands/io.ts";
import type { Io } from "./commands/io.ts";
import { printError } from "./commands/print-error.ts";
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
];

const EXAMPLE = `A durable realtime broker and real local HTTPS in front of any web app.

  $ npx chanctl init                       a chat that runs, in an empty folder
  $ npx chanctl dev                        the app on https://localhost:4433
  $ npx chanctl tail chat --room lobby     its messages, in a second terminal
`;

const FOOTER = `
Exit codes: 0 ok, 1 failure, 2 usage, 3 config or definition invalid, 4 no terminal to ask on,
            5 cannot connect, 130 and 143 on signals
No telemetry: chanctl sends nothing about you or your app to anyone.`;

async function runCli(args: readonly string[], io: Io): Promise<void> {
  try {
    const program = await createProgram(args, io);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (io.outputClosed.aborted) return; // the reader has what it wanted (`| head`)
    io.setExitCode(
      error instanceof CommanderError ? onCommanderError(error, args, io) : printError(error, io),
    );
  }
}

async function createProgram(args: readonly string[], io: Io): Promise<Command> {
  const program = new Command("chanctl")
    .version(await readPackageVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print this help, or a command's")
    .usage("<command> [options]")
    .addHelpText("before", EXAMPLE)
    .addHelpText("after", FOOTER)
    .configureHelp({
      helpWidth: Math.min(io.columns, 100),
      visibleCommands: ({ commands }) => [...commands], // `help [command]` works and need not be listed
      subcommandTerm: (command) => command.name(),
    })
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
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

/** Commander throws for help and version too; those have been printed and are no errors. */
function onCommanderError(error: CommanderError, args: readonly string[], io: Io): number {
  if (error.exitCode === 0) return 0;
  if (error.code === "commander.help") return 2;
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const help = ["chanctl", namedCommand(args)?.name, "--help"].filter(Boolean).join(" ");
  const hint = suggestion?.replace(/^\((.*)\)$/, "$1").replace(/^Did/, "did") ?? help;
  return printError(new ChanctlError("usage", message, { hint }), io);
}

await runCli(process.argv.slice(2), processIo());

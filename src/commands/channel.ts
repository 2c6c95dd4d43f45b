import type { Command } from "commander";

import type { Io } from "./io.ts";
import { collect } from "./target/command-options.ts";
import type { AddFlags } from "./channel/add.ts";

const GROUP_EXAMPLE = `Adds and lists the channels of the project.

  $ chanctl channel add chat --transport ws --param room:string
  $ chanctl channel list
`;

const ADD_EXAMPLE = `Writes channels/<name>.ts; .js, .mjs or .json where the project has no \
TypeScript.

  $ chanctl channel add chat --transport ws --param room:string
  $ chanctl channel add game/moves --param table:integer --public
  $ chanctl channel add news --param topic:string --param 'draft?:boolean'
`;

const LIST_EXAMPLE = `Shows the channels as their files define them; exits 3 if one of them is broken.

  $ chanctl channel list
  $ chanctl channel list --json
`;

/** Adds `chanctl channel` with its verbs. */
export function registerChannel(program: Command, io: Io): void {
  const channel = program
    .command("channel")
    .summary("add or list channels")
    .addHelpText("before", GROUP_EXAMPLE);
  channel
    .command("add")
    .summary("write a channel's file")
    .addHelpText("before", ADD_EXAMPLE)
    .argument("<name>", "segments of a-z, 0-9, - and _, joined by /")
    .option("--transport <ws|sse>", "ws: clients publish too; sse: they only read", "sse")
    .option(
      "--param <name:type>",
      "a param: string, integer, number or boolean, string without one; `?` makes it optional; repeatable (none)",
      collect,
    )
    .option("--public", "anyone may read (and, on ws, publish)")
    .option("--force", "replace the file if there is one")
    .option("--json", "print the name and file as JSON")
    .action(async (name: string, flags: AddFlags) => {
      const { runChannelAdd } = await import("./channel/add.ts");
      await runChannelAdd({ name, flags }, io);
    });
  channel
    .command("list")
    .summary("show the channels as their files define them")
    .addHelpText("before", LIST_EXAMPLE)
    .option("--json", "print one JSON a line")
    .action(async (flags: { readonly json?: true }) => {
      const { runChannelList } = await import("./channel/list.ts");
      await runChannelList({ isJson: flags.json === true }, io);
    });
}

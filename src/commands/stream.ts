import { Option } from "commander";
import type { Command } from "commander";

import type { Io } from "./io.ts";
import type { AppendFlags } from "./stream/append.ts";
import type { CloseFlags } from "./stream/close.ts";
import type { CreateFlags } from "./stream/create.ts";
import type { DeleteFlags } from "./stream/delete.ts";
import type { ForkFlags } from "./stream/fork.ts";
import type { HeadFlags } from "./stream/head.ts";
import type { ListFlags } from "./stream/list.ts";
import type { ReadFlags } from "./stream/read.ts";

const GROUP_EXAMPLE = `Durable Streams from the terminal: of the project's running server, or with \
--url of any.

  $ chanctl stream create jobs/42 --type text
  $ npm test 2>&1 | chanctl stream append jobs/42 - --close
  $ chanctl stream read jobs/42 --live
`;

const CREATE_EXAMPLE = `Creates a stream and prints its tail; one that is there as asked for is fine.

  $ chanctl stream create jobs/42 --type text --ttl 24h
  $ chanctl stream create answers/7 --type json --data '[{"role":"user"}]'
`;

const APPEND_EXAMPLE = `Appends and prints the tail, once all of it is durable. A broken connection or \
a restart of the server doubles and loses nothing.

  $ chanctl stream append jobs/42 'done' --close
  $ tail -f events.ndjson | chanctl stream append events -
  $ chanctl stream append pictures/1 @photo.png
`;

const READ_EXAMPLE = `Prints what a stream holds: the bytes as they are, or one JSON message a line.

  $ chanctl stream read jobs/42 --live
  $ chanctl stream read jobs/42 --offset now --live
  $ chanctl stream read https://example.com/ds/jobs/42 | head
`;

const HEAD_EXAMPLE = `Shows how a stream is, one field a line.

  $ chanctl stream head jobs/42
  $ chanctl stream head jobs/42 --json
`;

const CLOSE_EXAMPLE = `Closes a stream: nothing can be appended any more, and its readers end.

  $ chanctl stream close jobs/42
`;

const DELETE_EXAMPLE = `Deletes a stream and all that it holds; asks first.

  $ chanctl stream delete jobs/42
  $ chanctl stream delete jobs/42 --yes
`;

const FORK_EXAMPLE = `Creates a stream that begins with what another one has.

  $ chanctl stream fork answers/7 answers/7-again
  $ chanctl stream fork answers/7 again/7 --at 0000000000000003_0000000000000012
`;

const LIST_EXAMPLE = `Lists the raw streams of the project's running server: path, type, size, open \
or closed. What a fork has of its source is counted there. The streams of \
channels are not in it; their names open them: stream read chat/room=lobby

  $ chanctl stream list
  $ chanctl stream list 'jobs/*' --json
`;

const PATH = "the stream's path, or its whole URL";

/** Adds `chanctl stream` with its verbs; each is loaded when it runs. */
export function registerStream(program: Command, io: Io): void {
  const stream = program
    .command("stream")
    .summary("create, append to and read Durable Streams")
    .addHelpText("before", GROUP_EXAMPLE);
  addWriters(stream, io);
  addReaders(stream, io);
}

function addWriters(stream: Command, io: Io): void {
  place(
    verb(stream, "create", { summary: "create a stream", example: CREATE_EXAMPLE }).argument("<path>", PATH),
  )
    .option("--type <type>", "json, text, bytes or a media type (bytes)")
    .option("--ttl <duration>", "it ends this long after its last use (never)")
    .option("--expires-at <time>", "it ends then (never)")
    .option("--closed", "nothing can be appended to it")
    .option("--data <data>", "what it begins with: a text, @file, or - for standard input (nothing)")
    .option("--json", "print what was created as JSON")
    .action(async (name: string, flags: CreateFlags) => {
      await (await import("./stream/create.ts")).runStreamCreate({ name, flags }, io);
    });
  place(
    verb(stream, "append", { summary: "append to a stream", example: APPEND_EXAMPLE })
      .argument("<path>", PATH)
      .argument("<data>", "a text or JSON, @file, or - for standard input (a JSON stream: one JSON a line)"),
  )
    .option("--type <type>", "the stream's type (asked of the server)")
    .option("--close", "close the stream at the end")
    .option("--retry-for <duration>", "how long a server that has gone away is waited for", "1m")
    .option("--json", "print the tail and the number of appends as JSON")
    .action(async (name: string, data: string, flags: AppendFlags) => {
      await (await import("./stream/append.ts")).runStreamAppend({ name, data, flags }, io);
    });
  place(verb(stream, "close", { summary: "close a stream", example: CLOSE_EXAMPLE }).argument("<path>", PATH))
    .option("--json", "print the tail as JSON")
    .action(async (name: string, flags: CloseFlags) => {
      await (await import("./stream/close.ts")).runStreamClose({ name, flags }, io);
    });
  place(
    verb(stream, "delete", { summary: "delete a stream", example: DELETE_EXAMPLE }).argument("<path>", PATH),
  )
    .option("--yes", "do not ask")
    .option("--json", "print what was deleted as JSON")
    .action(async (name: string, flags: DeleteFlags) => {
      await (await import("./stream/delete.ts")).runStreamDelete({ name, flags }, io);
    });
  place(
    verb(stream, "fork", { summary: "branch a stream off another", example: FORK_EXAMPLE })
      .argument("<path>", "the stream to begin with")
      .argument("<new>", "the path of the new stream"),
  )
    .option("--at <offset>", "where it branches off (the tail)")
    .option("--sub-offset <count>", "so many messages, or bytes, after --at (0)")
    .option("--ttl <duration>", "it ends this long after its last use (as the source)")
    .option("--expires-at <time>", "it ends then (as the source)")
    .option("--json", "print what was created as JSON")
    .action(async (source: string, name: string, flags: ForkFlags) => {
      await (await import("./stream/fork.ts")).runStreamFork({ source, name, flags }, io);
    });
}

function addReaders(stream: Command, io: Io): void {
  place(verb(stream, "read", { summary: "print a stream", example: READ_EXAMPLE }).argument("<path>", PATH))
    .option("--offset <offset>", "begin after this offset; `now` is the tail", "-1")
    .option("--live", "go on with what is appended, until the stream is closed")
    .option("--long-poll", "follow by long-polls, which keep every byte (the default of --live)")
    .option("--sse", "follow as events; the line breaks of a text all become \\n")
    .option("--json", "one JSON a line: a JSON stream's messages, else each chunk with its offset")
    .action(async (name: string, flags: ReadFlags) => {
      await (await import("./stream/read.ts")).runStreamRead({ name, flags }, io);
    });
  place(
    verb(stream, "head", { summary: "show how a stream is", example: HEAD_EXAMPLE }).argument("<path>", PATH),
  )
    .option("--json", "print one JSON")
    .action(async (name: string, flags: HeadFlags) => {
      await (await import("./stream/head.ts")).runStreamHead({ name, flags }, io);
    });
  verb(stream, "list", { summary: "list the streams of the running server", example: LIST_EXAMPLE })
    .argument("[pattern]", "a path, or a pattern: * is anything in a segment, ** any number of segments")
    .option("--json", "print one JSON a line")
    // Refused with what to do instead, where commander would call them unknown.
    .addOption(new Option("--url <url>").hideHelp())
    .addOption(new Option("--token <token>").hideHelp())
    .action(async (pattern: string | undefined, flags: ListFlags) => {
      await (await import("./stream/list.ts")).runStreamList({ pattern, flags }, io);
    });
}

function verb(stream: Command, name: string, texts: { summary: string; example: string }): Command {
  return stream.command(name).summary(texts.summary).addHelpText("before", texts.example);
}

function place(command: Command): Command {
  return command
    .option("--url <url>", "where a server's streams are (at the project's running server)")
    .option("--token <token>", "a caller's credential for --url, sent as Bearer (none)");
}

import { randomUUID } from "node:crypto";

import type { Command } from "commander";

import { clip } from "../shared/clip.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Io } from "./io.ts";
import { readDataArgument, readJsonLines } from "./publish/data-source.ts";
import type { BatchItem } from "./publish/data-source.ts";
import { toBatches } from "./publish/batches.ts";
import { toInputError } from "./publish/input-error.ts";
import { sendBatch } from "./publish/send-batch.ts";
import { parseChannelArgs, toQuery } from "./target/channel-args.ts";
import type { ChannelArgs } from "./target/channel-args.ts";
import { assertValues, checkChannelArgs } from "./target/channel-catalog.ts";
import { collect, optionNames } from "./target/command-options.ts";
import { resolveTarget } from "./target/target.ts";
import type { Target } from "./target/target.ts";

interface PublishFlags {
  readonly type: string;
  readonly idempotencyKey?: string;
  readonly param?: readonly string[];
  readonly json?: true;
  readonly url?: string;
  readonly token?: string;
}

const EXAMPLE = `Publishes to a channel and prints the id of each message once it is durable.

  $ chanctl publish chat --room lobby --type message '{"text":"hi"}'
  $ chanctl publish chat --room lobby @message.json
  $ tail -f events.ndjson | chanctl publish events -
`;

/** Adds `chanctl publish`. */
export function registerPublish(program: Command, io: Io): void {
  program
    .command("publish")
    .summary("publish messages to a channel")
    .usage("<channel> [--<param> <value>…] <data> [options]")
    .addHelpText("before", EXAMPLE)
    .argument("[channel]", "the channel's name")
    .argument("[data]", "JSON, @file, or - for standard input (one JSON a line)")
    .option("--type <type>", "the type of the messages", "message")
    .option("--idempotency-key <key>", "makes a repeat of this very command harmless (a new one)")
    .option("--param <name=value>", "a param that is named like an option; repeatable", collect)
    .option("--json", 'print {"id":"…"} instead of bare ids')
    .option("--url <url>", "a public URL (the project's running server)")
    .option("--token <token>", "a caller's credential for --url, sent as Bearer (none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(
      async (
        _channel: string | undefined,
        _data: string | undefined,
        flags: PublishFlags,
        command: Command,
      ) => {
        const args = parseChannelArgs(command.args, { command: "publish", explicit: flags.param });
        try {
          await runPublish({ args, flags, optionNames: optionNames(command) }, io);
        } finally {
          if (args.rest[0] === "-") io.stdin.destroy(); // an input without end would keep the process alive
        }
      },
    );
}

interface PublishInput {
  readonly args: ChannelArgs;
  readonly flags: PublishFlags;
  readonly optionNames: readonly string[];
}

async function runPublish({ args, flags, optionNames }: PublishInput, io: Io): Promise<void> {
  assertType(flags.type);
  const items = readItems({ args, optionNames }, io);
  const locate = (): Promise<Target> => resolveTarget(flags, io);
  const target = await locate();
  // Not `io.outputClosed`: the reader of the ids may go (`| head`), what was asked for is published all the same.
  const { signal } = new AbortController();
  await checkChannelArgs(args, { target, command: "publish", optionNames, signal });
  const path = `/channels/${args.channel}/messages?${toQuery(args.params).toString()}`;
  const own = flags.idempotencyKey;
  let sent = 0;
  let storedTo = 0;
  let underWay: readonly number[] = [];
  try {
    for await (const { body, lines } of toBatches(items, { type: flags.type, isFilled: own !== undefined })) {
      // With a key of the person's own, repeating the command repeats the same batches under the same keys.
      const key = own === undefined ? randomUUID() : sent === 0 ? own : `${own}.${sent}`;
      const isKnown = target.isInternal || sent > 0;
      underWay = lines;
      const ids = await sendBatch(body, { locate, path, key, isKnown, signal });
      underWay = [];
      storedTo = lines.at(-1) ?? 0;
      for (const id of ids) io.stdout(flags.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
      sent += 1;
    }
  } catch (error) {
    const isInput = args.rest[0] === "-" && error instanceof ChanctlError;
    throw isInput ? toInputError(error, { storedTo, underWay }) : error;
  }
}

function assertType(type: string): void {
  if (type !== "") return;
  throw new ChanctlError("usage", "`--type` must be the type of the messages, got an empty text", {
    hint: "--type message",
  });
}

function readItems(
  { args, optionNames }: Pick<PublishInput, "args" | "optionNames">,
  io: Io,
): AsyncIterable<BatchItem> {
  const { rest, params, valueless } = args;
  const [data, ...others] = rest;
  if (others.length > 0) {
    throw new ChanctlError("usage", `there is one data argument, got ${rest.length}`, {
      hint: 'quote JSON for the shell: \'{"text":"hi"}\'',
    });
  }
  if (data === undefined) {
    assertValues(valueless, optionNames);
    const [name, value] = params.at(-1) ?? [];
    const taken = name === undefined ? "" : `: \`${clip(value ?? "")}\` is the value of \`--${name}\``;
    throw new ChanctlError("usage", `the data to publish is missing${taken}`, {
      hint: `add '{"text":"hi"}' at the end, or @file, or - for standard input`,
    });
  }
  return data === "-" ? readJsonLines(io.stdin) : readDataArgument(data, io.cwd);
}

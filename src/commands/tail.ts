import type { Command } from "commander";

import type { SseItem } from "../protocol/sse-parser.ts";
import { toStreamPath } from "../protocol/stream-path.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Io } from "./io.ts";
import { palette } from "./palette.ts";
import { followChannel } from "./tail/follow-channel.ts";
import type { FollowNotice } from "./tail/follow.ts";
import { missedText } from "./tail/missed-text.ts";
import { messageFilter } from "./tail/message-filter.ts";
import { messageBlock, messageLine } from "./tail/message-line.ts";
import { readTailId } from "./tail/tail-id.ts";
import { parseTailMessage } from "./tail/tail-message.ts";
import { typeWarnings } from "./tail/type-warnings.ts";
import { parseTailStart } from "./tail/tail-start.ts";
import { parseChannelArgs, toQuery } from "./target/channel-args.ts";
import type { ChannelArgs } from "./target/channel-args.ts";
import { checkChannelArgs } from "./target/channel-catalog.ts";
import { collect, optionNames } from "./target/command-options.ts";
import { resolveTarget } from "./target/target.ts";
import type { Target } from "./target/target.ts";
import { escapeControls, withoutWrap } from "./terminal-text.ts";
import { untilEnded } from "./until-ended.ts";

interface TailFlags {
  readonly since?: string;
  readonly count?: string;
  readonly type?: readonly string[];
  readonly where?: readonly string[];
  readonly follow: boolean;
  readonly full?: true;
  readonly json?: true;
  readonly param?: readonly string[];
  readonly url?: string;
  readonly token?: string;
}

const EXAMPLE = `Follows a channel in the terminal, one line a message.

  $ chanctl tail chat --room lobby
  $ chanctl tail chat --room lobby --since 10m --type message --where user.id=7
  $ chanctl tail chat --room lobby --no-follow --json > lobby.ndjson
`;

/** Adds `chanctl tail`. */
export function registerTail(program: Command, io: Io): void {
  program
    .command("tail")
    .summary("follow a channel's messages")
    .usage("<channel> [--<param> <value>…] [options]")
    .addHelpText("before", EXAMPLE)
    .argument("[channel]", "the channel's name, or a stream's path: chat/room=lobby")
    .option(
      "--since <start>",
      "begin a duration ago such as 10m, at a time such as 18:00, after a message's id, or at `start` (now; with --no-follow start)",
    )
    .option("-n, --count <number>", "begin with so many of the last messages (0)")
    .option("--type <type>", "only messages of this type; repeatable (all)", collect)
    .option("--where <name=value>", "only messages with this in their data; repeatable (all)", collect)
    .option("--no-follow", "end when what was there at the start has been printed")
    .option("--full", "all of each message's data, on lines of its own")
    .option("--json", "print each message as the JSON that clients get, one a line")
    .option("--param <name=value>", "a param that is named like an option; repeatable", collect)
    .option("--url <url>", "a public URL (the project's running server)")
    .option("--token <token>", "a caller's credential for --url, sent as Bearer (none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_channel: string | undefined, flags: TailFlags, command: Command) => {
      const args = parseChannelArgs(command.args, { command: "tail", explicit: flags.param });
      await runTail({ args, flags, optionNames: optionNames(command) }, io);
    });
}

interface TailInput {
  readonly args: ChannelArgs;
  readonly flags: TailFlags;
  readonly optionNames: readonly string[];
}

function runTail(input: TailInput, io: Io): Promise<void> {
  return untilEnded(io, (signal) => printMessages(input, { io, signal }));
}

async function printMessages(
  { args, flags, optionNames }: TailInput,
  { io, signal }: { io: Io; signal: AbortSignal },
): Promise<void> {
  if (flags.full && flags.json) {
    throw new ChanctlError("usage", "`--full` and `--json` exclude each other", { hint: "give one of them" });
  }
  const start = parseTailStart({ ...flags, isFollowing: flags.follow, now: Date.now() });
  const accepts = messageFilter({ types: flags.type ?? [], where: flags.where ?? [] });
  const target = await resolveTarget(flags, io);
  const entry = await checkChannelArgs(args, { target, command: "tail", optionNames, signal });
  const { channel, rest } = args;
  if (rest.length > 0) {
    throw new ChanctlError("usage", `there is one channel, got \`${[channel, ...rest].join(" ")}\``, {
      hint: 'quote a value that holds a space: --room "the lobby"',
    });
  }
  const { yellow } = palette(io.errorColor);
  for (const warning of entry === undefined ? [] : typeWarnings(flags.type ?? [], entry))
    io.stderr(`${yellow("warning:")} ${escapeControls(warning)}\n`);
  const params = toQuery(args.params);
  const endId = flags.follow ? undefined : await readTailId(target, { channel, params, signal });
  const paint = palette(io.color);
  const at = target.isInternal ? "" : ` at ${target.url.origin}`;
  const place = escapeControls(`${toStreamPath(channel, Object.fromEntries(args.params))}${at}`);
  const onNotice = (notice: FollowNotice): void => {
    if (flags.follow || notice.kind !== "connected") printNotice(notice, { io, place });
  };
  const locate = (): Promise<Target> => resolveTarget(flags, io);
  for await (const item of followChannel({ locate, channel, params, start, onNotice, signal })) {
    if (item.kind === "event") {
      const message = parseTailMessage(item.data);
      if (endId !== undefined && message.id > endId) return;
      const columns = io.isOutputTerminal ? io.columns : undefined;
      const show = flags.full ? messageBlock : messageLine;
      const lines = (): string => {
        const text = show(message, { columns, paint, now: Date.now() });
        return columns === undefined || flags.full || io.env["TERM"] === "dumb" ? text : withoutWrap(text);
      };
      if (accepts(message)) io.stdout(`${flags.json ? message.json : lines()}\n`);
    }
    if (endId !== undefined && isReplayOver(item, endId)) return;
  }
}

/** A keepalive (an empty comment) says it too: what is missing up to the tail has been pruned meanwhile. */
function isReplayOver(item: SseItem, endId: string): boolean {
  if (item.kind === "comment") return item.text === "";
  return item.kind !== "retry" && item.id >= endId;
}

function printNotice(notice: FollowNotice, { io, place }: { io: Io; place: string }): void {
  const { dim, yellow } = palette(io.errorColor);
  if (notice.kind === "connected") io.stderr(dim(`connected to ${place}\n`));
  else if (notice.kind === "reconnecting")
    io.stderr(yellow(`reconnecting: ${escapeControls(notice.reason)}\n`));
  else
    io.stderr(
      yellow(`gap: ${missedText(notice)} can no longer be read; going on with the oldest that is kept\n`),
    );
}

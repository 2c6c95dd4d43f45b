import type { ListedStream } from "../../server/stream-listing.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/size.ts";
import type { Io } from "../io.ts";
import { tableLines } from "../table.ts";
import { resolveTarget } from "../target/target.ts";
import { escapeControls } from "../terminal-text.ts";
import { untilEnded } from "../until-ended.ts";
import { readListing } from "./listing.ts";
import { parsePathPattern } from "./path-pattern.ts";

export interface ListFlags {
  readonly url?: string;
  readonly token?: string;
  readonly json?: true;
}

const PAGE = 500;

/**
 * Prints the raw streams of the project's running server, in the order of their paths: a table on a terminal, with its
 * head anew every 500 streams; else a line a stream.
 *
 * @throws {ChanctlError} `usage` with `--url`: the protocol has no listing.
 */
export function runStreamList(
  { pattern = "**", flags }: { pattern?: string | undefined; flags: ListFlags },
  io: Io,
): Promise<void> {
  if (flags.url !== undefined) {
    throw new ChanctlError("usage", "only the project's own server lists its streams, got `--url`", {
      hint: "chanctl stream list     in the project's folder, without `--url`",
    });
  }
  const { prefix, matches } = parsePathPattern(pattern);
  return untilEnded(io, async (signal) => {
    const target = await resolveTarget(flags, io);
    let count = 0;
    for (let after: string | undefined, isLast = false; !isLast;) {
      const { streams, next } = await readListing(target, { prefix, after, limit: PAGE, signal });
      const found = streams.filter(({ name }) => matches(name));
      const isTable = io.isOutputTerminal && !flags.json && found.length > 0;
      const text = isTable ? toTable(found, io) : found.map(flags.json ? toJson : toLine).join("");
      await io.output(Buffer.from(isTable && count > 0 ? `\n${text}` : text));
      count += found.length;
      after = next;
      isLast = next === undefined || signal.aborted;
    }
    if (count === 0 && !signal.aborted) io.stderr(noneText(pattern));
  });
}

function noneText(pattern: string): string {
  const none = pattern === "**" ? "there are no raw streams" : `there is no raw stream like ${pattern}`;
  return `${escapeControls(none)}; those of channels are not listed here\n`;
}

function toTable(streams: readonly ListedStream[], io: Io): string {
  const rows = streams.map(({ name, contentType, bytes, closed }) => [
    name,
    escapeControls(contentType),
    formatBytes(bytes),
    closed ? "closed" : "open",
  ]);
  return tableLines({ head: ["PATH", "TYPE", "SIZE", "STATE"], rows }, io);
}

function toJson({ name, ...rest }: ListedStream): string {
  return `${JSON.stringify({ path: name, ...rest })}\n`;
}

function toLine({ name, contentType, bytes, closed }: ListedStream): string {
  return `${name}\t${contentType}\t${bytes} B\t${closed ? "closed" : "open"}\n`;
}

import { stat } from "node:fs/promises";
import { join } from "node:path";

import type { ChannelStream } from "../../server/channel-streams.ts";
import { formatBytes } from "../../shared/size.ts";
import type { Palette } from "../palette.ts";
import { textColumns, escapeControls, shortenMiddle } from "../terminal-text.ts";

/** Of one channel; who wants all asks `chanctl channel list` and the store. */
const STREAMS_A_CHANNEL = 10;

interface InfoChannel {
  readonly name: string;
  /** `ws`, `sse`; `undefined` if it has never loaded. */
  readonly transport: string | undefined;
  readonly isBroken: boolean;
}

interface InfoOptions {
  /** What the banner says of addresses. */
  readonly addresses: string;
  /** How a phone of the network comes in, whole lines; empty where none does. */
  readonly phone: string;
  readonly channels: readonly InfoChannel[];
  /** The stored streams of a channel, at most so many. */
  readonly streamsOf: (channel: string, limit: number) => readonly ChannelStream[];
  /** The streams with subscribers; they need not be stored yet. */
  readonly livePaths: readonly string[];
  readonly subscribersOf: (path: string) => number;
  readonly storeBytes: number;
  /** The file with what was told and what the app wrote, as it is typed here. */
  readonly logPath: string;
  readonly paint: Palette;
  readonly columns: number;
}

/**
 * What `i` shows: where the server is, the channels with their streams and subscribers, the size of the store, the log.
 * How a phone comes in is last: a QR code is of use only as long as all of it is on the screen.
 */
export function infoText(options: InfoOptions): string {
  const { addresses, phone, channels, storeBytes, logPath, paint } = options;
  const rows = channels.flatMap((channel) => channelRows(channel, options));
  const store = `  ${paint.dim("store".padEnd(9))} ${formatBytes(storeBytes)}`;
  const log = `  ${paint.dim("log".padEnd(9))} ${logPath}`;
  const lines = ["", addresses.trimEnd(), "", ...rows, ...(rows.length > 0 ? [""] : []), store, log];
  return `${lines.join("\n")}\n${phone}\n`;
}

/** What the store takes on the disk, its write-ahead log and all. */
export async function readStoreBytes(stateFolder: string): Promise<number> {
  const names = ["channels.sqlite", "channels.sqlite-wal"];
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(stateFolder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((total, size) => total + size, 0);
}

function channelRows({ name, transport, isBroken }: InfoChannel, options: InfoOptions): string[] {
  const { paint, streamsOf, livePaths, subscribersOf } = options;
  const stored = streamsOf(name, STREAMS_A_CHANNEL + 1);
  const isOfChannel = (path: string): boolean => path === name || path.startsWith(`${name}/`);
  const live = livePaths
    .filter((path) => isOfChannel(path) && stored.every((stream) => stream.path !== path))
    .map((path) => ({ path, bytes: 0 }));
  // Where somebody listens comes first.
  const streams = [...stored, ...live].toSorted((a, b) => subscribersOf(b.path) - subscribersOf(a.path));
  const kind = [transport === undefined ? "" : paint.dim(transport), isBroken ? paint.red("broken") : ""];
  const shown = streams.slice(0, STREAMS_A_CHANNEL);
  const more = streams.length > shown.length ? [`    ${paint.dim("… and more")}`] : [];
  return [
    `  ${[paint.bold(escapeControls(name)), ...kind].filter(Boolean).join("  ")}`,
    ...streamRows(shown, options),
    ...(streams.length === 0 ? [`    ${paint.dim("no streams yet")}`] : []),
    ...more,
  ];
}

function streamRows(
  streams: readonly ChannelStream[],
  { subscribersOf, paint, columns }: InfoOptions,
): string[] {
  const rows = streams.map(({ path, bytes }) => {
    const subscribers = subscribersOf(path);
    return {
      path: escapeControls(path),
      details: `${subscribers} subscriber${subscribers === 1 ? "" : "s"}, ${formatBytes(bytes)}`,
    };
  });
  const detailsColumns = Math.max(0, ...rows.map(({ details }) => textColumns(details)));
  const room = Math.max(16, columns - detailsColumns - 8);
  const fitted = rows.map(({ path, details }) => ({ path: shortenMiddle(path, room), details }));
  const pathColumns = Math.max(0, ...fitted.map(({ path }) => textColumns(path)));
  return fitted.map(({ path, details }) => {
    const padding = " ".repeat(pathColumns - textColumns(path));
    return `    ${path}${padding}  ${paint.dim(details)}`;
  });
}

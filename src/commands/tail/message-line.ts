import type { Palette } from "../palette.ts";
import { escapeControls, fitColumns } from "../terminal-text.ts";
import type { TailMessage } from "./tail-message.ts";

interface LineOptions {
  /** The terminal's width; absent: as long as it is. */
  readonly columns: number | undefined;
  readonly paint: Palette;
  /** Now, in ms since 1970: a message of another day shows its date. */
  readonly now: number;
}

const TYPE_COLORS = ["cyan", "green", "magenta", "yellow", "blue"] as const;
const MIN_DATA_COLUMNS = 10;

/** One message as one line: time, type, from, data. */
export function messageLine(message: TailMessage, { columns, paint, now }: LineOptions): string {
  const time = formatTime(message.time, now);
  const type = escapeControls(message.type);
  const from = message.from === undefined ? "-" : escapeControls(message.from);
  const head = `${time} ${type} ${from} `;
  const data = escapeControls(message.dataJson);
  const room = columns === undefined ? undefined : Math.max(columns - head.length, MIN_DATA_COLUMNS);
  const shown = room === undefined ? data : fitColumns(data, room);
  return `${paint.dim(time)} ${paint[colorOf(message.type)](type)} ${paint.bold(from)} ${shown}`;
}

/** The same type has the same colour in every run. */
function colorOf(type: string): (typeof TYPE_COLORS)[number] {
  let hash = 0;
  for (const character of type) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return TYPE_COLORS[hash % TYPE_COLORS.length] ?? "cyan";
}

function formatTime(time: number, now: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = date.toTimeString().slice(0, 8);
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

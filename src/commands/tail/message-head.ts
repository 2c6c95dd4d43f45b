import type { Palette } from "../palette.ts";
import { escapeControls, fitColumns, textColumns } from "../terminal-text.ts";
import type { TailMessage } from "./tail-message.ts";

interface HeadOptions {
  /** The terminal's width; absent: as long as it is. */
  readonly columns: number | undefined;
  readonly paint: Palette;
  /** Now, in ms since 1970: a message of another day shows its date. */
  readonly now: number;
}

/** The front of a message's line, without the space that follows it. */
export interface MessageHead {
  /** With its colours. */
  readonly text: string;
  /** How many columns it takes. */
  readonly columns: number;
}

const TYPE_COLORS = ["cyan", "green", "magenta", "yellow", "blue"] as const;
const MIN_NAME_COLUMNS = 8;

/** Local time, type and, where it has one, from of a message. On a terminal neither name takes more than a quarter of the width. */
export function messageHead(message: TailMessage, { columns, paint, now }: HeadOptions): MessageHead {
  const nameColumns = columns === undefined ? undefined : Math.max(Math.floor(columns / 4), MIN_NAME_COLUMNS);
  const fit = (text: string): string => {
    const harmless = escapeControls(text);
    return nameColumns === undefined ? harmless : fitColumns(harmless, nameColumns);
  };
  const time = formatTime(message.time, now);
  const type = fit(message.type);
  const from = message.from === undefined ? "" : fit(message.from);
  const painted = `${paint.dim(time)} ${paintType(message.type, paint)(type)}`;
  return {
    text: from === "" ? painted : `${painted} ${paint.bold(from)}`,
    columns: textColumns(from === "" ? `${time} ${type}` : `${time} ${type} ${from}`),
  };
}

/** Keeps the types that most apps have (message, note, typing, join, leave, presence) apart. */
const HASH_FACTOR = 259;

/** The same type looks the same in every run; bold doubles the number of looks. */
function paintType(type: string, paint: Palette): (text: string) => string {
  let hash = 0;
  for (const character of type) hash = (hash * HASH_FACTOR + (character.codePointAt(0) ?? 0)) % 65_521;
  const color = paint[TYPE_COLORS[hash % TYPE_COLORS.length] ?? "cyan"];
  const isBold = Math.floor(hash / TYPE_COLORS.length) % 2 === 1;
  return isBold ? (text) => paint.bold(color(text)) : color;
}

function formatTime(time: number, now: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = date.toTimeString().slice(0, 8);
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

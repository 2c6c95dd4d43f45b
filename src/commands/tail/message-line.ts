import type { Palette } from "../palette.ts";
import { escapeControls, fitColumns } from "../terminal-text.ts";
import { messageHead } from "./message-head.ts";
import { prettyJson } from "./pretty-json.ts";
import { readableJson } from "./readable-json.ts";
import type { TailMessage } from "./tail-message.ts";

interface LineOptions {
  /** The terminal's width; absent: as long as it is. */
  readonly columns: number | undefined;
  readonly paint: Palette;
  /** Now, in ms since 1970: a message of another day shows its date. */
  readonly now: number;
}

const MIN_DATA_COLUMNS = 10;

/** One message as one line: time, type, from, data. */
export function messageLine(message: TailMessage, options: LineOptions): string {
  const { columns } = options;
  const head = messageHead(message, options);
  const data = readableJson(message.dataJson);
  if (columns === undefined) return `${head.text} ${data}`;
  return `${head.text} ${fitColumns(data, Math.max(columns - head.columns - 1, MIN_DATA_COLUMNS))}`;
}

/** One message with all of its data: time, type, from and id, then the data on lines of their own. */
export function messageBlock(message: TailMessage, { columns, paint, now }: LineOptions): string {
  const head = messageHead(message, { columns, paint, now });
  const data = prettyJson(readableJson(message.dataJson), { paint, indent: "  " });
  return `${head.text} ${paint.dim(escapeControls(message.id))}\n${data}`;
}

import { ERRORS } from "../../shared/errors.ts";
import { formatDuration } from "../../shared/duration.ts";
import type { LogEntry } from "../../shared/logger.ts";
import type { Palette } from "../palette.ts";
import { textColumns, escapeControls, fitColumns, shortenMiddle, wrapColumns } from "../terminal-text.ts";

interface EventLineOptions {
  /** Of the terminal; `undefined`: the line is whole. */
  readonly columns: number | undefined;
  readonly paint: Palette;
  readonly time: Date;
}

/** What a line says of an event, in three columns. */
interface EventParts {
  /** What happened, in a word. */
  readonly label: string;
  /** To what: it may be shortened. */
  readonly subject: string;
  /** How: short, and the part that differs from line to line. */
  readonly details: string;
}

const TIME_COLUMNS = 9;
const LABEL_COLUMNS = 11;

/** How much of a path is shown at least. */
const LEAST_PATH = 12;

/**
 * The line of an event: `18:03:05 publish    chat/room=lobby → 3 subscribers, 2 ms`.
 *
 * Of what comes often, each is one line of a terminal; warnings and errors are whole, with the code frame and the fix
 * below. Subjects, params and types come from others (CWE-150).
 */
export function eventLine(entry: LogEntry, options: EventLineOptions): string {
  const { paint, time, columns } = options;
  const parts = toParts(entry);
  const head = (label: string): string => eventHead(entry, { paint, time, label });
  const room = columns === undefined ? Number.POSITIVE_INFINITY : columns - TIME_COLUMNS - LABEL_COLUMNS;
  if (parts !== undefined) return head(parts.label) + fitParts(parts, { room, paint });
  const [first = "", ...rest] = escapedLinesOf(entry);
  const label = labelOf(entry);
  const text = first.startsWith(`${label} `) ? first.slice(label.length + 1) : first;
  const paintText = entry.level === "error" ? paint.red : entry.level === "warn" ? paint.yellow : String;
  const wrapped = wrapColumns(text, Math.max(room, 2 * LEAST_PATH)).map(paintText);
  const indent = " ".repeat(TIME_COLUMNS + LABEL_COLUMNS);
  return [head(label) + wrapped.join(`\n${indent}`), ...rest].join("\n");
}

/** The first two columns of an event's line: when, and what in a word. */
export function eventHead(
  entry: Pick<LogEntry, "event" | "level">,
  {
    paint,
    time,
    label = entry.event,
  }: Pick<EventLineOptions, "paint" | "time"> & { readonly label?: string },
): string {
  const text = paintLabel(entry, paint)(label.padEnd(LABEL_COLUMNS - 1));
  return `${paint.dim(time.toTimeString().slice(0, 8))} ${text} `;
}

/** The columns of what comes often; `undefined` for all else, whose message is a sentence. */
function toParts({ event, fields = {} }: LogEntry): EventParts | undefined {
  const { path, subject } = fields;
  if (typeof path !== "string") return undefined;
  const who = typeof subject === "string" ? `  ${escapeControls(subject)}` : "";
  const parts = { label: event, subject: escapeControls(path) };
  if (event === "connect") return { ...parts, details: who };
  if (event === "disconnect") return { ...parts, details: who + endOf(fields) };
  if (event === "publish") return { ...parts, details: fanOutOf(fields) };
  return undefined;
}

/** How long it lasted, and why the server ended it: ` after 3 s: connection lifetime is over`. */
function endOf({ durationMs, code }: Readonly<Record<string, unknown>>): string {
  const after = typeof durationMs === "number" ? ` after ${formatDuration(durationMs)}` : "";
  const row = typeof code === "string" ? Object.entries(ERRORS).find(([name]) => name === code) : undefined;
  return `${after}${row === undefined ? "" : `: ${row[1].title}`}`;
}

/** Size, fan-out and time of a publish: ` × 10 from u1 → 3 subscribers, 2 ms`. */
function fanOutOf({ subscribers, durationMs, from, messages }: Readonly<Record<string, unknown>>): string {
  const count = typeof messages === "number" && messages > 1 ? ` × ${messages}` : "";
  const sender = typeof from === "string" ? ` from ${escapeControls(from)}` : "";
  const fanOut =
    typeof subscribers === "number" ? ` → ${subscribers} subscriber${subscribers === 1 ? "" : "s"}` : "";
  const time = typeof durationMs === "number" ? `, ${formatDuration(durationMs)}` : "";
  return `${count}${sender}${fanOut}${time}`;
}

/** The path gives way first, in its middle: the details are what differs between two lines. */
function fitParts(
  { subject, details }: EventParts,
  { room, paint }: { readonly room: number; readonly paint: Palette },
): string {
  if (room === Number.POSITIVE_INFINITY) return subject + paint.dim(details);
  const forPath = Math.max(LEAST_PATH, room - textColumns(details));
  const shown = shortenMiddle(subject, Math.max(1, Math.min(room, forPath)));
  const left = room - textColumns(shown);
  return left < 1 ? shown : shown + paint.dim(fitColumns(details, left));
}

/** Events whose name is not the word that a person looks for. */
function labelOf({ event, level }: LogEntry): string {
  if (event === "app" || event.startsWith("app-")) return "app";
  if (event === "refused" || event === "reload") return event;
  return event === "definition-error" || level === "error" ? "error" : level === "warn" ? "warning" : "info";
}

function paintLabel(
  { event, level }: Pick<LogEntry, "event" | "level">,
  paint: Palette,
): (text: string) => string {
  if (level === "error") return paint.red;
  if (level === "warn" || event === "refused") return paint.yellow;
  if (event === "connect") return paint.green;
  if (event === "disconnect") return paint.dim;
  return event === "reload" ? paint.magenta : paint.cyan;
}

/** The message, a code frame's lines kept, and the fix. */
function escapedLinesOf({ message, fields }: LogEntry): string[] {
  const hint =
    typeof fields?.["hint"] === "string" ? [`  fix: ${fields["hint"].replaceAll("\n", "\n       ")}`] : [];
  return [message, ...hint].join("\n").split("\n").map(escapeControls);
}

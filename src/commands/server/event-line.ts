import { ERRORS } from "../../shared/errors.ts";
import { formatDuration } from "../../shared/duration.ts";
import type { LogEntry } from "../../shared/logger.ts";
import { fixLines } from "../fix-lines.ts";
import type { Palette } from "../palette.ts";
import {
  escapeControls,
  fitColumns,
  shortenMiddle,
  textColumns,
  wrapColumns,
  wrapLines,
} from "../terminal-text.ts";
import type { FrequentSum } from "./frequent-lines.ts";

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
  /** Why, in a sentence; it has lines of its own where there is no room. */
  readonly reason?: string;
}

const TIME_COLUMNS = 9;
const LABEL_COLUMNS = 11;
const INDENT = " ".repeat(TIME_COLUMNS + LABEL_COLUMNS);
const FIX = "  fix: ";

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
  const width = columns ?? Number.POSITIVE_INFINITY;
  const room = roomOf(columns);
  if (parts !== undefined) return head(parts.label) + fitParts(parts, { room, paint });
  const [first = "", ...rest] = entry.message.split("\n").map(escapeControls);
  const label = labelOf(entry);
  const text = first.startsWith(`${label} `) ? first.slice(label.length + 1) : first;
  const paintText = entry.level === "error" ? paint.red : entry.level === "warn" ? paint.yellow : String;
  const wrapped = wrapColumns(text, Math.max(room, 2 * LEAST_PATH)).map(paintText);
  const below = rest.length === 0 ? [] : wrapLines(rest.join("\n"), width);
  return [head(label) + wrapped.join(`\n${INDENT}`), ...below, ...hintLines(entry, width)].join("\n");
}

/** What there was of an event beyond the lines that were shown: `18:03:05 publish    chat/room=lobby × 40 in the last second`. */
export function sumLine(
  { event, path = "on other streams", count }: FrequentSum & Pick<LogEntry, "event">,
  { columns, paint, time }: EventLineOptions,
): string {
  const parts = { subject: escapeControls(path), details: ` × ${count} in the last second` };
  return (
    eventHead({ event, level: "info" }, { paint, time }) + fitParts(parts, { room: roomOf(columns), paint })
  );
}

function roomOf(columns: number | undefined): number {
  return (columns ?? Number.POSITIVE_INFINITY) - INDENT.length;
}

/** The first two columns of an event's line: when, and what in a word. */
function eventHead(
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
  if (event === "disconnect") return { ...parts, details: who + durationOf(fields), ...reasonOf(fields) };
  if (event === "publish") return { ...parts, details: fanOutOf(fields) };
  return undefined;
}

function durationOf({ durationMs }: Readonly<Record<string, unknown>>): string {
  return typeof durationMs === "number" ? ` after ${formatDuration(durationMs)}` : "";
}

/** Why the server ended it. */
function reasonOf({ code }: Readonly<Record<string, unknown>>): Pick<EventParts, "reason"> {
  const row = typeof code === "string" ? Object.entries(ERRORS).find(([name]) => name === code) : undefined;
  return row === undefined ? {} : { reason: row[1].title };
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
  { subject, details, reason }: Omit<EventParts, "label">,
  { room, paint }: { readonly room: number; readonly paint: Palette },
): string {
  if (reason !== undefined) {
    const least = Math.min(textColumns(subject), LEAST_PATH);
    const line = `${details}: ${reason}`;
    if (least + textColumns(line) <= room) return fitParts({ subject, details: line }, { room, paint });
    const below = wrapColumns(reason, Math.max(room, LEAST_PATH)).map(
      (text) => `\n${INDENT}${paint.dim(text)}`,
    );
    return fitParts({ subject, details: `${details}:` }, { room, paint }) + below.join("");
  }
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

function hintLines({ fields }: LogEntry, columns: number): string[] {
  const hint = fields?.["hint"];
  if (typeof hint !== "string") return [];
  const lines = fixLines(hint, columns - FIX.length).map(escapeControls);
  return lines.map((line, index) => (index === 0 ? FIX : " ".repeat(FIX.length)) + line);
}

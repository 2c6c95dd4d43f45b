import type { OutputLine } from "../../app/output-lines.ts";
import type { RunningServer } from "../../server/start-server.ts";
import type { LogEntry } from "../../shared/logger.ts";
import { plainAppLine, withoutEscapeSequences } from "./app-line.ts";
import type { NetworkView } from "./network-view.ts";

/** The server is up: `{"event":"ready","url":…}`. */
export function readyLine({ url, internalUrl, caPath, app }: RunningServer, network?: NetworkView): string {
  return toLine({
    event: "ready",
    url,
    internalUrl,
    caPath,
    pid: process.pid,
    app: app && { pid: app.pid, port: app.port },
    network: network?.access(url),
  });
}

/** Something happened: `{"event":"reload","level":"info","time":…,"message":…}` and its fields. */
export function entryLine({ event, level, message, fields }: LogEntry): string {
  return toLine({ event, level, time: Date.now(), message, ...fields });
}

/** The app wrote a line: `{"event":"app-output","time":…,"stream":"stdout","text":…}`. */
export function appOutputLine({ stream, text }: OutputLine): string {
  const value = { event: "app-output", time: Date.now(), stream, text: plainAppLine(text) };
  return toPlainLine(JSON.stringify(value)); // an app may write thousands a second: `brief` costs more than the rest
}

/** JSON leaves these as they are, and a terminal may take them for the begin of a command (CWE-150). */
const C1_CONTROLS = /[\u007F-\u009F]/g;

function toLine(value: object): string {
  return toPlainLine(JSON.stringify(value, brief));
}

function toPlainLine(json: string): string {
  return `${json.replaceAll(C1_CONTROLS, (control) => `\\u00${control.charCodeAt(0).toString(16)}`)}\n`;
}

/** Times are measured to fractions that mean nothing: of a number, three decimals stay. Of a text, no colours do. */
function brief(_key: string, value: unknown): unknown {
  if (typeof value === "string") return withoutEscapeSequences(value);
  return typeof value === "number" ? Number(value.toFixed(3)) : value;
}

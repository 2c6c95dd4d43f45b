import type { Io } from "../io.ts";
import { plainAppLine } from "./app-line.ts";
import type { ReportFormat } from "./reporter.ts";

/** One JSON a line: first `ready`, then each log entry and each line of the app. */
export function jsonFormat(io: Io): ReportFormat {
  const print = (value: object): void => io.stdout(`${JSON.stringify(value)}\n`);
  return {
    ready: ({ url, internalUrl, caPath, app }) =>
      print({
        event: "ready",
        url,
        internalUrl,
        caPath,
        pid: process.pid,
        app: app && { pid: app.pid, port: app.port },
      }),
    entry: ({ event, level, message, fields }) =>
      print({ event, level, time: Date.now(), message, ...fields }),
    appOutput: ({ stream, text }) =>
      print({ event: "app-output", time: Date.now(), stream, text: plainAppLine(text) }),
  };
}

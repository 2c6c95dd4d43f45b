import type { Io } from "../io.ts";
import { plainAppLine } from "./app-line.ts";
import type { NetworkView } from "./network-view.ts";
import type { ReportFormat } from "./reporter.ts";

/** One JSON a line: first `ready`, then each log entry and each line of the app. */
export function jsonFormat({ network }: { readonly network?: NetworkView }, io: Io): ReportFormat {
  const print = (value: object): void => io.stdout(`${JSON.stringify(value, brief)}\n`);
  return {
    ready: ({ url, internalUrl, caPath, app }) =>
      print({
        event: "ready",
        url,
        internalUrl,
        caPath,
        pid: process.pid,
        app: app && { pid: app.pid, port: app.port },
        network: network?.access(url),
      }),
    entry: ({ event, level, message, fields }) =>
      print({ event, level, time: Date.now(), message, ...fields }),
    appOutput: ({ stream, text }) =>
      print({ event: "app-output", time: Date.now(), stream, text: plainAppLine(text) }),
  };
}

/** Times are measured to fractions that mean nothing: of a number, three decimals stay. */
function brief(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toFixed(3)) : value;
}

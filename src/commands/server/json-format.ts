import type { Io } from "../io.ts";
import { appOutputLine, entryLine, readyLine } from "./json-lines.ts";
import type { NetworkView } from "./network-view.ts";
import type { ReportFormat } from "./reporter.ts";

/** One JSON a line: first `ready`, then each log entry and each line of the app. */
export function jsonFormat({ network }: { readonly network?: NetworkView }, io: Io): ReportFormat {
  return {
    ready: (server) => io.stdout(readyLine(server, network)),
    entry: (entry) => io.stdout(entryLine(entry)),
    appOutput: (line) => io.stdout(appOutputLine(line)),
  };
}

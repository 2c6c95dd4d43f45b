import type { RunningServer } from "../../server/start-server.ts";
import { formatDuration } from "../../shared/duration.ts";
import type { LogEntry } from "../../shared/logger.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { escapeControls } from "../terminal-text.ts";
import { PublishLines } from "./publish-lines.ts";
import type { ReportFormat } from "./reporter.ts";

interface TextFormatOptions {
  /** Made once the server is up. */
  readonly banner: (server: RunningServer) => string;
}

/** Plain scrolling lines: a banner, one line an event, the app's output behind a prefix. */
export function textFormat({ banner }: TextFormatOptions, io: Io): ReportFormat {
  const { dim, red, yellow, cyan } = palette(io.color);
  const print = (text: string): void => io.stdout(`${dim(new Date().toTimeString().slice(0, 8))} ${text}\n`);
  const publishes = new PublishLines({
    print,
    printSum: ({ path = "on other streams", messages }) =>
      print(`publish ${escapeControls(path)}${dim(` × ${messages} in the last second`)}`),
  });
  const paintOf = { info: (text: string) => text, warn: yellow, error: red } as const;
  return {
    ready: (server) => io.stdout(banner(server)),
    entry: (entry) => {
      const [first = "", ...rest] = linesOf(entry);
      const text = [paintOf[entry.level](first) + dim(detailsOf(entry)), ...rest].join("\n");
      const { path, messages } = entry.fields ?? {};
      if (entry.event === "publish" && typeof path === "string" && typeof messages === "number")
        publishes.add({ path, text, messages });
      else print(text);
    },
    appOutput: ({ stream, text }) =>
      io.stdout(`${stream === "stderr" ? yellow("app |") : cyan("app |")} ${text}\n`),
  };
}

/** The message, a code frame's lines kept, and the fix. Subjects and types come from others (CWE-150). */
function linesOf({ message, fields }: LogEntry): string[] {
  const hint = typeof fields?.["hint"] === "string" ? [`  fix: ${fields["hint"]}`] : [];
  return [message, ...hint].join("\n").split("\n").map(escapeControls);
}

/** Size, fan-out and time of a publish: ` × 10 from u1 → 3 subscribers, 2 ms`. */
function detailsOf({ event, fields = {} }: LogEntry): string {
  const { subscribers, durationMs, from, messages } = fields;
  if (event !== "publish" || typeof subscribers !== "number") return "";
  const count = typeof messages === "number" && messages > 1 ? ` × ${messages}` : "";
  const sender = typeof from === "string" ? ` from ${escapeControls(from)}` : "";
  const time = typeof durationMs === "number" ? `, ${formatDuration(durationMs)}` : "";
  return `${count}${sender} → ${subscribers} subscriber${subscribers === 1 ? "" : "s"}${time}`;
}

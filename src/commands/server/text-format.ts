import type { RunningServer } from "../../server/start-server.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { escapeControls } from "../terminal-text.ts";
import { appLine } from "./app-line.ts";
import { eventLine } from "./event-line.ts";
import { PublishLines } from "./publish-lines.ts";
import type { ReportFormat } from "./reporter.ts";

interface TextFormatOptions {
  /** Made once the server is up. */
  readonly banner: (server: RunningServer) => string;
}

/** Plain scrolling lines: a banner, one line an event, the app's output behind a prefix. */
export function textFormat({ banner }: TextFormatOptions, io: Io): ReportFormat {
  const paint = palette(io.color);
  const { dim, yellow, cyan } = paint;
  const publishes = new PublishLines({
    print: (text) => io.stdout(`${text}\n`),
    printSum: ({ path = "on other streams", messages }) => {
      const time = new Date().toTimeString().slice(0, 8);
      const sum = `${escapeControls(path)}${dim(` × ${messages} in the last second`)}`;
      io.stdout(`${dim(time)} ${cyan("publish   ")} ${sum}\n`);
    },
  });
  return {
    ready: (server) => io.stdout(banner(server)),
    entry: (entry) => {
      const time = new Date();
      const text = (): string => {
        const columns = io.isOutputTerminal ? io.columns : undefined;
        return eventLine(entry, { columns, paint, time });
      };
      const { path, messages } = entry.fields ?? {};
      if (entry.event === "publish" && typeof path === "string" && typeof messages === "number")
        publishes.add({ path, text, messages });
      else io.stdout(`${text()}\n`);
    },
    appOutput: ({ stream, text }) => {
      const shown = io.isOutputTerminal ? appLine(text) : text;
      io.stdout(`${stream === "stderr" ? yellow("app |") : cyan("app |")} ${shown}\n`);
    },
  };
}

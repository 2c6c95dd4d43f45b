import type { RunningServer } from "../../server/start-server.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { appLine, plainAppLine } from "./app-line.ts";
import { eventLine, sumLine } from "./event-line.ts";
import { FrequentLines } from "./frequent-lines.ts";
import type { ReportFormat } from "./reporter.ts";

interface TextFormatOptions {
  /** Made once the server is up. */
  readonly banner: (server: RunningServer) => string;
}

/** A room's worth of people is still told by name when all of them come back. */
const ROOM = { linesAStream: 20 };

/** Plain scrolling lines: a banner, one line an event, the app's output behind a prefix. */
export function textFormat({ banner }: TextFormatOptions, io: Io): ReportFormat {
  const paint = palette(io.color);
  const { yellow, cyan } = paint;
  const lineOptions = () =>
    ({ columns: io.isOutputTerminal ? io.columns : undefined, paint, time: new Date() }) as const;
  const linesOf = (event: string, options: { readonly linesAStream?: number } = {}): FrequentLines =>
    new FrequentLines({
      ...options,
      print: (text) => io.stdout(`${text}\n`),
      printSum: (sum) => io.stdout(`${sumLine({ event, ...sum }, lineOptions())}\n`),
    });
  const frequent = new Map([
    ["publish", linesOf("publish")],
    ["connect", linesOf("connect", ROOM)],
    ["disconnect", linesOf("disconnect", ROOM)],
  ]);
  return {
    ready: (server) => io.stdout(banner(server)),
    entry: (entry) => {
      const text = (): string => eventLine(entry, lineOptions());
      const lines = frequent.get(entry.event);
      const { path, messages } = entry.fields ?? {};
      if (lines === undefined || typeof path !== "string") io.stdout(`${text()}\n`);
      else lines.add({ path, text, ...(typeof messages === "number" ? { count: messages } : {}) });
    },
    appOutput: ({ stream, text }) => {
      const shown = io.color ? appLine(text) : plainAppLine(text);
      io.stdout(`${stream === "stderr" ? yellow("app |") : cyan("app |")} ${shown}\n`);
    },
  };
}

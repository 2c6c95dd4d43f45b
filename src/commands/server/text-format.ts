import type { RunningServer } from "../../server/start-server.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { appLine, plainAppLine } from "./app-line.ts";
import { eventLine, sumLine } from "./event-line.ts";
import { FrequentEntries } from "./frequent-entries.ts";
import type { NetworkView } from "./network-view.ts";
import { PhoneNews } from "./phone-news.ts";
import type { ReportFormat } from "./reporter.ts";

interface TextFormatOptions {
  /** Made once the server is up. */
  readonly banner: (server: RunningServer) => string;
  /** What is shown of the network where others come in, too. */
  readonly network?: NetworkView;
}

/** Plain scrolling lines: a banner, one line an event, the app's output behind a prefix. */
export function textFormat({ banner, network }: TextFormatOptions, io: Io): ReportFormat {
  const paint = palette(io.color);
  const { yellow, cyan } = paint;
  const lineOptions = () =>
    ({ columns: io.isOutputTerminal ? io.columns : undefined, paint, time: new Date() }) as const;
  const entries = new FrequentEntries({
    print: (text) => io.stdout(`${text}\n`),
    lineOf: (entry) => eventLine(entry, lineOptions()),
    sumLineOf: (sum) => sumLine(sum, lineOptions()),
  });
  const phoneNews = network && new PhoneNews(network);
  return {
    ready: (server) => {
      phoneNews?.shown(server.url);
      io.stdout(banner(server));
    },
    entry: (entry) => {
      entries.add(entry);
      if (entry.event === "network") io.stdout(phoneNews?.text() ?? "");
    },
    appOutput: ({ stream, text }) => {
      const shown = io.color ? appLine(text) : plainAppLine(text);
      io.stdout(`${stream === "stderr" ? yellow("app |") : cyan("app |")} ${shown}\n`);
    },
  };
}

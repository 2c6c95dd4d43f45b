import type { Palette } from "../palette.ts";
import { textColumns, fitColumns } from "../terminal-text.ts";
import type { AppStatus } from "./app-status.ts";

/** What the status line tells. */
export interface Status {
  readonly app: AppStatus;
  readonly channels: number;
  /** Of the channels, those whose file does not load. */
  readonly broken: number;
  readonly subscribers: number;
  /** Whether single keys are read. */
  readonly hasKeys: boolean;
}

interface StatusTextOptions {
  readonly columns: number;
  readonly paint: Palette;
  /** By `performance.now()`. */
  readonly now: number;
}

interface Part {
  readonly text: string;
  readonly paint: (text: string) => string;
}

const SEPARATOR = " · ";

/**
 * The status line: ` ● app ready on :41234 · 3 channels · 12 subscribers · h help`. Where it is too long for the
 * terminal, the parts in the middle go first: the app's state and the way to help are what it is for.
 */
export function statusText(status: Status, { columns, paint, now }: StatusTextOptions): string {
  const { channels, broken, subscribers, hasKeys } = status;
  const plain = (text: string): Part => ({ text, paint: paint.dim });
  const first = appPart(status, { paint, now });
  const middle = [
    plain(count(channels, "channel")),
    ...(broken > 0 ? [{ text: `${broken} broken`, paint: paint.red }] : []),
    plain(count(subscribers, "subscriber")),
  ];
  const last = hasKeys ? [plain(status.app.kind === "stopping" ? "q stops at once" : "h help")] : [];
  const isUp = status.app.kind !== "opening" && status.app.kind !== "stopping";
  const shown = isUp ? middle : [];
  // The last column stays free: some terminals wrap a line that fills it.
  const room = columns - 2;
  for (let kept = shown.length; kept >= 0; kept -= 1) {
    const parts = [first, ...shown.slice(shown.length - kept), ...last];
    if (textColumns(parts.map(({ text }) => text).join(SEPARATOR)) <= room) return join(parts, paint);
  }
  return ` ${first.paint(fitColumns(first.text, Math.max(1, room)))}`;
}

function join(parts: readonly Part[], { dim }: Palette): string {
  return ` ${parts.map(({ text, paint }) => paint(text)).join(dim(SEPARATOR))}`;
}

function appPart({ app, hasKeys }: Status, { paint, now }: Omit<StatusTextOptions, "columns">): Part {
  switch (app.kind) {
    case "opening":
      return { text: `◌ starting ${Math.floor((now - app.since) / 1_000)} s`, paint: paint.yellow };
    case "none":
      return { text: "● no app, the broker runs alone", paint: paint.green };
    case "elsewhere":
      return { text: `● app at ${app.url}`, paint: paint.green };
    case "ready":
      return { text: `● app ready on :${app.port}`, paint: paint.green };
    case "starting": {
      const seconds = Math.floor((now - app.since) / 1_000);
      return { text: `◌ app starting${seconds > 0 ? ` ${seconds} s` : ""}`, paint: paint.yellow };
    }
    case "blocked":
      return {
        text: `✗ app blocked: ${app.pid === undefined ? "another program" : `pid ${app.pid}`} has :${app.port}`,
        paint: paint.red,
      };
    case "crashed": {
      const seconds = app.restartAt === undefined ? 0 : Math.ceil((app.restartAt - now) / 1_000);
      const when = seconds > 0 ? `, starting again in ${seconds} s` : "";
      return { text: `✗ app crashed${when}`, paint: paint.red };
    }
    case "given-up":
      return { text: `✗ app does not start${hasKeys ? ", r tries again" : ""}`, paint: paint.red };
    case "stopping":
      return { text: "◌ stopping", paint: paint.yellow };
    default:
      return app satisfies never;
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

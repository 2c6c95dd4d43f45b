import { formatDuration } from "../shared/duration.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { LogEntry } from "../shared/logger.ts";
import type { ChannelChange } from "./channel-change.ts";

interface Loaded {
  readonly name: string;
  /** What the broker sees of it; `undefined`: nothing. */
  readonly change: ChannelChange | undefined;
  /** Whether the file did not load before. */
  readonly isMended: boolean;
  /** Since the first sign of the change, in ms. */
  readonly durationMs: number;
}

/** Tells of a channel whose file was saved and loads. */
export function loadedEntry({ name, change, isMended, durationMs }: Loaded): LogEntry {
  const time = formatDuration(durationMs);
  const verb = isMended ? "loads again in" : "saved, read in";
  const text =
    change === undefined ? `${verb} ${time}: unchanged for the broker` : `${change.kind} in ${time}`;
  return reloadEntry({ name, durationMs, text, change: change?.kind ?? "unchanged" });
}

/** Tells of a channel whose file is gone. */
export function removedEntry({ name, durationMs }: Pick<Loaded, "name" | "durationMs">): LogEntry {
  const text = `removed in ${formatDuration(durationMs)}`;
  return reloadEntry({ name, durationMs, text, change: "removed" });
}

interface Reload extends Pick<Loaded, "name" | "durationMs"> {
  readonly text: string;
  readonly change: ChannelChange["kind"] | "unchanged";
}

function reloadEntry({ name, durationMs, text, change }: Reload): LogEntry {
  return {
    level: "info",
    event: "reload",
    message: `channel ${name} ${text}`,
    fields: { channel: name, change, durationMs: Math.round(durationMs) },
  };
}

interface Failed {
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  /** Whether an earlier version of it is live. */
  readonly isLive: boolean;
}

/** Tells of a channel whose file does not load. */
export function failedEntry({ name, file, isLive }: Failed, { message, hint }: ChanctlError): LogEntry {
  return {
    level: "error",
    event: "definition-error",
    message: isLive ? `${message}\n\nThe channel ${name} stays live as it was last good.` : message,
    fields: { channel: name, file, ...(hint === undefined ? {} : { hint }) },
  };
}

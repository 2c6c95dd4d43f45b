import { parseOffset } from "../../protocol/offset.ts";
import { parseDurationMs } from "../../shared/duration.ts";
import { ChanctlError } from "../../shared/errors.ts";

/** Where a tail begins: after an id, some way back, or (neither) at the live tail. */
export interface TailStart {
  /** An offset, or `start` for the oldest that is retained. */
  readonly lastEventId?: string;
  /** A number of messages, or a duration. */
  readonly rewind?: string;
}

interface StartFlags {
  readonly since?: string;
  readonly count?: string;
  /** Without `--since` and `-n`, whoever does not follow wants all there is. */
  readonly isFollowing: boolean;
  /** Now, in ms since 1970. */
  readonly now: number;
}

/**
 * Reads `--since 10m|<time>|<id>|start` and `-n 50`; a time is a date with one, or what a clock here shows.
 *
 * @throws {ChanctlError} `usage` naming the flag and what it may be.
 */
export function parseTailStart({ since, count, isFollowing, now }: StartFlags): TailStart {
  if (since !== undefined && count !== undefined) {
    throw new ChanctlError("usage", "`--since` and `-n` exclude each other", { hint: "give one of them" });
  }
  if (count !== undefined) return { rewind: parseCount(count) };
  if (since !== undefined) return parseSince(since, now);
  return isFollowing ? {} : { lastEventId: "start" };
}

function parseCount(text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new ChanctlError("usage", `\`-n\` must be a number of messages, got \`${text}\``, { hint: "-n 50" });
}

function parseSince(text: string, now: number): TailStart {
  if (text === "start" || parseOffset(text) !== undefined) return { lastEventId: text };
  if (parseDurationMs(text) !== undefined) return { rewind: text };
  const time = parseClock(text, now) ?? (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN);
  if (Number.isNaN(time)) {
    throw new ChanctlError(
      "usage",
      `\`--since\` must be a duration, a time, a message's id or \`start\`, got \`${text}\``,
      { hint: "--since 10m, --since 18:00, --since 2026-11-21T18:00, --since start" },
    );
  }
  if (time > now)
    throw new ChanctlError("usage", `\`--since\` must be a time that has passed, got \`${text}\``, {
      hint: "--since 10m     or leave it out to begin now",
    });
  return { rewind: `${now - time}ms` };
}

/** The last time at which a clock here has shown this, `07:28` or `07:28:30`, as tail prints it; in ms since 1970. */
function parseClock(text: string, now: number): number | undefined {
  const [, hours, minutes, seconds = "0"] = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const time = new Date(now);
  time.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  if (time.getTime() > now) time.setDate(time.getDate() - 1);
  return time.getTime();
}

import type { Io } from "../io.ts";
import { escapeControls } from "../terminal-text.ts";
import { untilEnded } from "../until-ended.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { readStreamState } from "./stream-state.ts";
import type { StreamState } from "./stream-state.ts";

export interface HeadFlags extends PlaceFlags {
  readonly json?: true;
}

/** Prints how a stream is: one field a line, or one JSON. */
export function runStreamHead({ name, flags }: { name: string; flags: HeadFlags }, io: Io): Promise<void> {
  return untilEnded(io, async (signal) => {
    const place = await locateStream(name, { flags, io, signal });
    const state = await readStreamState(place, signal);
    io.stdout(flags.json ? `${JSON.stringify({ path: name, ...state })}\n` : toLines(name, state));
  });
}

function toLines(name: string, { contentType, nextOffset, closed, ttlSecs, expiresAt }: StreamState): string {
  const fields: Readonly<Record<string, string | undefined>> = {
    path: name,
    "content-type": contentType,
    "next-offset": nextOffset,
    closed: String(closed),
    ttl: ttlSecs === undefined ? undefined : `${ttlSecs}s`,
    "expires-at": expiresAt,
  };
  return Object.entries(fields)
    .flatMap(([field, value]) => (value === undefined ? [] : [`${field}: ${escapeControls(value)}\n`]))
    .join("");
}

import type { Io } from "../io.ts";
import { untilEnded } from "../until-ended.ts";
import { requestStream } from "./exchange.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { toStreamState } from "./stream-state.ts";

export interface CloseFlags extends PlaceFlags {
  readonly json?: true;
}

/** Closes a stream: its readers come to an end. One that is closed already is fine too (PROTOCOL.md, section 5.3). */
export function runStreamClose({ name, flags }: { name: string; flags: CloseFlags }, io: Io): Promise<void> {
  return untilEnded(io, async (signal) => {
    const place = await locateStream(name, { flags, io, signal });
    const headers = { "stream-closed": "true" };
    const { nextOffset } = toStreamState(
      (await requestStream(place, { method: "POST", headers, signal })).headers,
    );
    const json = JSON.stringify({ path: name, nextOffset, closed: true });
    io.stdout(`${flags.json ? json : nextOffset}\n`);
  });
}

import type { Io } from "../io.ts";
import { untilEnded } from "../until-ended.ts";
import { readWholeArgument } from "./data-argument.ts";
import { requestStream } from "./exchange.ts";
import { toLifetimeHeaders } from "./lifetime-flags.ts";
import type { LifetimeFlags } from "./lifetime-flags.ts";
import { parseTypeFlag } from "./media-type-flag.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { printState } from "./print-state.ts";
import { toStreamState } from "./stream-state.ts";

export interface CreateFlags extends PlaceFlags, LifetimeFlags {
  readonly type?: string;
  readonly closed?: true;
  readonly data?: string;
  readonly json?: true;
}

/**
 * Creates a stream; one that is there already and is as asked for is fine too (PROTOCOL.md, section 5.1).
 *
 * @throws {ChanctlError} `stream_exists`, `usage`, `cannot_connect` and what else it is refused with.
 */
export function runStreamCreate(
  { name, flags }: { name: string; flags: CreateFlags },
  io: Io,
): Promise<void> {
  const { type, closed, data } = flags;
  const headers = {
    ...toLifetimeHeaders(flags),
    ...(type === undefined ? {} : { "content-type": parseTypeFlag(type) }),
    ...(closed === undefined ? {} : { "stream-closed": "true" }),
  };
  return untilEnded(io, async (signal) => {
    const body = data === undefined ? "" : await readWholeArgument(data, io);
    const place = await locateStream(name, { flags, io, signal });
    const answer = await requestStream(place, { method: "PUT", headers, body, signal });
    if (answer.status === 200) io.stderr("it is there already, as asked for\n");
    const state = { path: name, created: answer.status === 201, ...toStreamState(answer.headers) };
    printState(state, { io, isJson: flags.json === true });
  });
}

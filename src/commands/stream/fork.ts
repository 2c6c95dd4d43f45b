import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { untilEnded } from "../until-ended.ts";
import { requestStream } from "./exchange.ts";
import { toLifetimeHeaders } from "./lifetime-flags.ts";
import type { LifetimeFlags } from "./lifetime-flags.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { printState } from "./print-state.ts";
import { toStreamState } from "./stream-state.ts";

export interface ForkFlags extends PlaceFlags, LifetimeFlags {
  readonly at?: string;
  readonly subOffset?: string;
  readonly json?: true;
}

/**
 * Creates a stream that begins with what another one has (PROTOCOL.md, section 4.2).
 *
 * @throws {ChanctlError} `stream_unknown`, `stream_exists`, `malformed`, `usage` and what else it is refused with.
 */
export function runStreamFork(
  { source, name, flags }: { source: string; name: string; flags: ForkFlags },
  io: Io,
): Promise<void> {
  const lifetime = toLifetimeHeaders(flags);
  const point = toPointHeaders(flags);
  return untilEnded(io, async (signal) => {
    const from = await locateStream(source, { flags, io, signal });
    const place = await locateStream(name, { flags, io, signal });
    if (from.target.url.origin !== place.target.url.origin) {
      throw new ChanctlError("usage", "a fork must be on the server of its source", {
        hint: `chanctl stream fork ${source} <path>     puts it beside its source`,
      });
    }
    const headers = { ...lifetime, ...point, "stream-forked-from": from.path };
    const answer = await requestStream(place, { method: "PUT", headers, signal });
    if (answer.status === 200) io.stderr("it is there already, as asked for\n");
    const state = { path: name, created: answer.status === 201, ...toStreamState(answer.headers) };
    printState(state, { io, isJson: flags.json === true });
  });
}

function toPointHeaders({ at, subOffset }: ForkFlags): Record<string, string> {
  if (subOffset !== undefined && !/^\d+$/.test(subOffset)) {
    throw new ChanctlError("usage", `\`--sub-offset\` must be a whole number, got \`${subOffset}\``, {
      hint: "--sub-offset 1",
    });
  }
  if (subOffset !== undefined && at === undefined) {
    throw new ChanctlError("usage", "`--sub-offset` needs `--at`, the offset that it counts from", {
      hint: "add --at <offset>     such as `append` prints it",
    });
  }
  return {
    ...(at === undefined ? {} : { "stream-fork-offset": at }),
    ...(subOffset === undefined ? {} : { "stream-fork-sub-offset": subOffset }),
  };
}

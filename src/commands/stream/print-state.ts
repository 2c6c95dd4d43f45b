import type { Io } from "../io.ts";
import type { StreamState } from "./stream-state.ts";

/** Prints what a write came to: the stream's tail, or one JSON with all that is known. */
export function printState(
  state: StreamState & { readonly path: string },
  { io, isJson }: { io: Io; isJson: boolean },
): void {
  io.stdout(isJson ? `${JSON.stringify(state)}\n` : `${state.nextOffset}\n`);
}

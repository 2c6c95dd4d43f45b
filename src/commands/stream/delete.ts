import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { askYesNo, exitCodeOfAnswer } from "../question.ts";
import { untilEnded } from "../until-ended.ts";
import { requestStream } from "./exchange.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { readStreamState } from "./stream-state.ts";

export interface DeleteFlags extends PlaceFlags {
  readonly yes?: true;
  readonly json?: true;
}

/**
 * Deletes a stream, once the person has said so: on a terminal, or by `--yes`.
 *
 * @throws {ChanctlError} `no_terminal` where nobody can be asked; `stream_unknown` and what else it is refused with.
 */
export function runStreamDelete(
  { name, flags }: { name: string; flags: DeleteFlags },
  io: Io,
): Promise<void> {
  return untilEnded(io, async (signal) => {
    const place = await locateStream(name, { flags, io, signal });
    if (flags.yes !== true) {
      // Asked only about what is there: a mistyped path is told first.
      await readStreamState(place, signal);
      assertTerminal(name, io);
      const message = `Delete ${name} and all that it holds?`;
      const answer = await askYesNo({ message, initial: "no", signal });
      if (answer !== "yes") {
        io.stderr("nothing was deleted\n");
        if (!signal.aborted) io.setExitCode(exitCodeOfAnswer(answer)); // a signal has its own
        return;
      }
    }
    await requestStream(place, { method: "DELETE", signal });
    if (flags.json) io.stdout(`${JSON.stringify({ path: name, deleted: true })}\n`);
    else io.stderr(`deleted ${name}\n`);
  });
}

function assertTerminal(name: string, { isTerminal }: Pick<Io, "isTerminal">): void {
  if (isTerminal) return;
  throw new ChanctlError(
    "no_terminal",
    `deleting \`${name}\` cannot be undone, and there is no terminal to ask`,
    {
      hint: `chanctl stream delete ${name} --yes`,
    },
  );
}

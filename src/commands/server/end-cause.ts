import type { EndSignal } from "../signals.ts";

/** Why a server ends. */
export type EndCause = EndSignal | "q" | "output-closed";

const TEXTS: Readonly<Record<EndCause, string>> = {
  SIGINT: "Ctrl-C was pressed (SIGINT)",
  SIGTERM: "it was asked to end (SIGTERM)",
  SIGHUP: "the terminal was closed (SIGHUP)",
  q: "`q` was pressed",
  "output-closed": "nobody reads its output any more",
};

/** The cause as a sentence for a person. */
export function describeEnd(cause: EndCause): string {
  return TEXTS[cause];
}

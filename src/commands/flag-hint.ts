import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** Errors of `startServer()` too, which has no command: their hints begin with the flag alone. */
const CODES: ReadonlySet<ErrorCode> = new Set(["port_in_use", "cannot_listen"]);

const GAP = 5;

/**
 * Makes a hint that begins with a flag (`--port 0`) the whole command to write (`chanctl dev --port 0`), and sets what
 * is said of each line below one another.
 */
export function withCommandInHint(thrown: unknown, command: string | undefined): unknown {
  if (!(thrown instanceof ChanctlError) || !CODES.has(thrown.code) || command === undefined) return thrown;
  const lines = (thrown.hint ?? "").split("\n").map((line) => {
    const [text = "", comment = ""] = line.split(/ {2,}/);
    return { text: text.startsWith("--") ? `chanctl ${command} ${text}` : text, comment };
  });
  const width = Math.max(...lines.map(({ text }) => text.length)) + GAP;
  const hint = lines.map(({ text, comment }) => (text.padEnd(width) + comment).trimEnd()).join("\n");
  const { code, message, cause, fields } = thrown;
  return new ChanctlError(code, message, { hint, cause, fields });
}

import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** Errors of `startServer()` too, which has no command: their hints begin with the flag alone. */
const CODES: ReadonlySet<ErrorCode> = new Set(["port_in_use", "cannot_listen"]);

const COMMENT_COLUMN = 25;

/** Makes a hint that begins with a flag (`--port 0`) the whole command to write (`chanctl dev --port 0`). */
export function withCommandInHint(thrown: unknown, command: string | undefined): unknown {
  if (!(thrown instanceof ChanctlError) || !CODES.has(thrown.code) || command === undefined) return thrown;
  const lines = (thrown.hint ?? "").split("\n").map((line) => {
    const [, flag, comment] = /^(--.*?) {2,}(.*)$/.exec(line) ?? [];
    return flag === undefined ? line : `${`chanctl ${command} ${flag}`.padEnd(COMMENT_COLUMN)}${comment}`;
  });
  const { code, message, cause, fields } = thrown;
  return new ChanctlError(code, message, { hint: lines.join("\n"), cause, fields });
}

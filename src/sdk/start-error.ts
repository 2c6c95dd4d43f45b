import { sep } from "node:path";

import { ChanctlError } from "../shared/errors.ts";
import { withFix } from "./with-fix.ts";

interface StartErrorOptions {
  /** The file, or the folder, absolute. Absent: it is about the call, whose place is shown. */
  readonly path?: string;
  /** What the file threw. */
  readonly cause?: unknown;
  readonly hint: string;
}

/**
 * What `loadChannels` and `createChannels` throw. Most apps do not catch it, and Node then prints stack, fields and cause: so
 * this has for a stack the message, the fix and the project's own lines, shows no fields, and has no cause.
 */
export function startError(message: string, { path, cause, hint }: StartErrorOptions): ChanctlError {
  const error = new ChanctlError("definition_invalid", message, { hint });
  const all = framesOf(path === undefined ? error : cause);
  const own = all.filter(isOwn);
  const others = path === undefined ? all : [`    at ${path}`];
  error.stack = [`${error.name}: ${withFix(error)}`, ...(own.length > 0 ? own : others)].join("\n");
  for (const key of Object.keys(error)) Object.defineProperty(error, key, { enumerable: false });
  return error;
}

function framesOf(thrown: unknown): string[] {
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  return stack.split("\n").filter((line) => /^ +at /.test(line));
}

/** Whether a line of a stack is of the project's code. */
function isOwn(line: string): boolean {
  return line.includes(process.cwd() + sep) && !line.includes(`${sep}node_modules${sep}`);
}

import { sep } from "node:path";

import { ChanctlError } from "../shared/errors.ts";

interface LoadErrorOptions {
  /** The file, or the folder, absolute. */
  readonly path: string;
  /** What the file threw. */
  readonly cause?: unknown;
  readonly hint?: string;
}

/**
 * What `loadChannels` throws. Most apps do not catch it, and Node then prints stack, fields and cause: so this has for a
 * stack the message, the fix and the project's own lines, shows no fields, and has no cause.
 */
export function loadError(message: string, { path, cause, hint }: LoadErrorOptions): ChanctlError {
  const error = new ChanctlError("definition_invalid", message, hint === undefined ? {} : { hint });
  const fix = hint === undefined ? [] : [`  fix: ${hint}`];
  const own = ownFramesOf(cause);
  const frames = own.length > 0 ? own : [`    at ${path}`];
  error.stack = [`${error.name}: ${message}`, ...fix, ...frames].join("\n");
  for (const key of Object.keys(error)) Object.defineProperty(error, key, { enumerable: false });
  return error;
}

/** The lines of a stack that are of the project's code. */
function ownFramesOf(thrown: unknown): string[] {
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  const isOwn = (line: string): boolean =>
    /^ +at /.test(line) && line.includes(process.cwd() + sep) && !line.includes(`${sep}node_modules${sep}`);
  return stack.split("\n").filter(isOwn);
}

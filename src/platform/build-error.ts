import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";

import type { BuildFailure, Message } from "esbuild";

import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { codeFrame } from "./code-frame.ts";

/** What esbuild was given. */
interface BuildErrorContext {
  /** The file that was built, absolute. */
  readonly entry: string;
  readonly errorCode: ErrorCode;
  /** What paths in the error are relative to. */
  readonly root: string;
  /** How far the first line of a file had been moved to the right. @default not at all */
  readonly prefixLengths?: ReadonlyMap<string, number>;
}

/** What esbuild found wrong first, with file:line:column and a code frame. */
export async function toBuildError(cause: unknown, context: BuildErrorContext): Promise<ChanctlError> {
  const { entry, errorCode, root, prefixLengths } = context;
  const [first, ...others] = isBuildFailure(cause) ? cause.errors : [];
  const location = first?.location;
  if (!location) {
    const shown = relative(root, entry);
    const reason = first?.text ?? messageOf(cause);
    const hint = `check that ${shown} can be read`;
    return new ChanctlError(errorCode, `${shown} cannot be bundled: ${reason}`, { cause, hint });
  }
  const { line, length, lineText } = location;
  const file = resolve(root, location.file);
  const column = columnOf(location) - (line === 1 ? (prefixLengths?.get(file) ?? 0) : 0);
  const source = await readFile(file, "utf8").catch(() => lineText);
  const frame = codeFrame(source, { line, column, length });
  const more = others.length > 0 ? `\n\n(and ${others.length} more)` : "";
  const shown = relative(root, file);
  return new ChanctlError(errorCode, `${shown}:${line}:${column}: ${first.text}\n\n${frame}${more}`, {
    cause,
    hint: `correct line ${line} of ${shown} and save it`,
  });
}

/** esbuild counts columns from 0 and in bytes. */
function columnOf({ lineText, column }: NonNullable<Message["location"]>): number {
  return Buffer.from(lineText).subarray(0, column).toString().length + 1;
}

function isBuildFailure(thrown: unknown): thrown is BuildFailure {
  return thrown instanceof Error && "errors" in thrown && Array.isArray(thrown.errors);
}

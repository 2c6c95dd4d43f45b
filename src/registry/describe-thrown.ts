import { readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { codeFrame } from "../platform/code-frame.ts";
import { messageOf } from "../shared/errors.ts";

const STACK_FRAME = /^ +at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/gm;

/** What was thrown, and where it came from. */
interface ThrownContext {
  readonly file: string;
  readonly outfile: string;
  /** The project's folder. */
  readonly root: string;
}

/**
 * Says what a definition threw while it was imported, and shows the line of the project's own code that did.
 *
 * Stack traces must have been mapped back to the sources (`process.setSourceMapsEnabled`).
 */
export function describeThrown(thrown: unknown, { file, outfile, root }: ThrownContext): string {
  const shown = relative(root, file);
  // Node names the bundle where an import of a package fails; the reader knows only the file it was made from.
  const message = (
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : messageOf(thrown)
  ).replaceAll(outfile, shown);
  const own = findOwnFrame(thrown, root);
  if (own === undefined) return `${shown}: ${message}`;
  return `${relative(root, own.path)}:${own.line}:${own.column}: ${message}\n\n${codeFrame(own.text, own)}`;
}

/** Where to correct it, for a hint: `line 3 of src/limit.ts`, or the file alone. */
export function placeOfThrown(thrown: unknown, { file, root }: ThrownContext): string {
  const own = findOwnFrame(thrown, root);
  return own === undefined ? relative(root, file) : `line ${own.line} of ${relative(root, own.path)}`;
}

/** The innermost frame of the stack that is the project's own code. */
function findOwnFrame(thrown: unknown, root: string) {
  for (const [, path, line, column] of stackOf(thrown).matchAll(STACK_FRAME)) {
    const source = path === undefined ? undefined : readOwnSource(path, root);
    if (source !== undefined) return { ...source, line: Number(line), column: Number(column) };
  }
  return undefined;
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? String(thrown.stack) : "";
}

function readOwnSource(pathOrUrl: string, root: string): { path: string; text: string } | undefined {
  const path = pathOrUrl.startsWith("file:") ? fileURLToPath(pathOrUrl) : pathOrUrl;
  if (!path.startsWith(root + sep) || path.includes(`${sep}node_modules${sep}`)) return undefined;
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch {
    return undefined;
  }
}

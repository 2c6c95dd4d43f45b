import { readFileSync } from "node:fs";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { codeFrame } from "../platform/code-frame.ts";
import { messageOf } from "../shared/errors.ts";

const STACK_FRAME = /^ +at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/gm;

/**
 * Says what a definition threw while it was imported, and shows the line of the project's own code that did.
 *
 * Stack traces must have been mapped back to the sources (`process.setSourceMapsEnabled`).
 */
export function describeThrown(
  thrown: unknown,
  { file, outfile, root }: { readonly file: string; readonly outfile: string; readonly root: string },
): string {
  const shown = relative(root, file);
  // Node names the bundle where an import of a package fails; the reader knows only the file it was made from.
  const message = (
    thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : messageOf(thrown)
  ).replaceAll(outfile, shown);
  for (const [, path, line, column] of stackOf(thrown).matchAll(STACK_FRAME)) {
    const source = path === undefined ? undefined : readOwnSource(path, root);
    if (source === undefined) continue;
    const place = { line: Number(line), column: Number(column) };
    const frame = codeFrame(source.text, place);
    return `${relative(root, source.path)}:${place.line}:${place.column}: ${message}\n\n${frame}`;
  }
  return `${shown}: ${message}`;
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

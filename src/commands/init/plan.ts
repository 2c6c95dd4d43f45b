import { ChanctlError } from "../../shared/errors.ts";
import type { DesiredFile } from "./desired-files.ts";
import { diffLines } from "./diff-lines.ts";

/** What `init` does with one file. */
export interface Change {
  /** From the project's folder, with `/`. */
  readonly path: string;
  readonly kind: "create" | "add to" | "replace" | "keep";
  /** The whole of its new text. */
  readonly text: string;
  /** What is there now. */
  readonly current: string | undefined;
  /** The entries that are new in it; of one that is kept, what it stands for. */
  readonly added: readonly string[];
}

/** Compares what is wanted with what is there. */
export function planChanges(files: readonly DesiredFile[], current: ReadonlyMap<string, string>): Change[] {
  return files.map(({ path, kind, render }) => {
    const before = current.get(path);
    const { text, added } = render(before);
    const change = { path, text, current: before, added };
    if (before === undefined) return { ...change, kind: "create" };
    if (before === text || kind === "once") return { ...change, kind: "keep" };
    return { ...change, kind: kind === "entries" ? "add to" : "replace" };
  });
}

/**
 * Refuses to replace what somebody has written.
 *
 * @throws {ChanctlError} `would_overwrite` with the lines that differ.
 */
export function assertReplacesNothing(changes: readonly Change[], forceCommand: string): void {
  const replaced = changes.filter(({ kind }) => kind === "replace");
  if (replaced.length === 0) return;
  const differences = replaced.map(({ path, current = "", text }) => `${path}\n${diffLines(current, text)}`);
  const them = replaced.length === 1 ? "it" : "them";
  throw new ChanctlError(
    "would_overwrite",
    `${replaced.length === 1 ? "a file differs" : `${replaced.length} files differ`} from what init would write; nothing was changed\n${differences.join("\n")}`,
    { hint: `${forceCommand}     replaces ${them}` },
  );
}

import { addEntries } from "./package-json.ts";
import type { EntriesOptions, JsonObject } from "./package-json.ts";

/** A file as `init` wants it. */
export interface DesiredFile {
  /** From the project's folder, with `/`. */
  readonly path: string;
  /**
   * - `own`: ours to write; one that differs is somebody's work and stops `init`
   * - `entries`: lines are added to what is there
   * - `once`: written where there is none, else left as it is
   */
  readonly kind: "own" | "entries" | "once";
  /** What becomes of it, by what is there now. */
  readonly render: (current: string | undefined) => Rendered;
}

/** A file's new text, and for people what is new in it. */
interface Rendered {
  readonly text: string;
  readonly added: readonly string[];
}

/** A file that holds exactly this. */
export function ownFile(path: string, text: string): DesiredFile {
  return { path, kind: "own", render: () => ({ text, added: [] }) };
}

/** A file for a project that has none of this name. */
export function onceFile(path: string, text: string): DesiredFile {
  return { path, kind: "once", render: () => ({ text, added: [] }) };
}

/** A file of the project that stands for one of another name. */
export function keptFile(path: string, { for: wanted }: { readonly for: string }): DesiredFile {
  return {
    path,
    kind: "once",
    render: (current = "") => ({ text: current, added: [`in place of ${wanted}`] }),
  };
}

/** A package.json with at least these entries. */
export function packageJsonWith(entries: JsonObject, options: EntriesOptions = {}): DesiredFile {
  return {
    path: "package.json",
    kind: "entries",
    render: (current) => addEntries(current ?? "{}\n", entries, options),
  };
}

/** A .gitignore with at least these lines. */
export function gitignoreWith(lines: readonly string[]): DesiredFile {
  return {
    path: ".gitignore",
    kind: "entries",
    render(current = "") {
      const present = new Set(current.split(/\r?\n/).map(toBareName));
      const added = lines.filter((line) => line !== "" && !present.has(toBareName(line)));
      if (added.length === 0) return { text: current, added };
      const start = current === "" || current.endsWith("\n") ? current : `${current}\n`;
      return { text: `${start}${added.join("\n")}\n`, added };
    },
  };
}

/** `.chanctl`, `/.chanctl` and `.chanctl/` ignore the same folder. */
function toBareName(line: string): string {
  return line.trim().replaceAll(/^\/|\/$/g, "");
}

import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";

import { ChanctlError } from "../shared/errors.ts";
import { formatDuration } from "../shared/duration.ts";
import type { DefinitionProcess } from "./definition-process.ts";
import { parseReport } from "./definition-report.ts";
import type { DefinitionJob, DefinitionReport } from "./definition-report.ts";
import type { FileStamps } from "./file-stamp.ts";

/** How to load definition files, and whom to tell. */
export interface LoadOptions {
  /** The project's folder, absolute: what paths in errors are relative to. */
  readonly root: string;
  /** A folder inside the project for bundles. */
  readonly cacheFolder: string;
  /** Gives a process that waits for its job, in that folder. It is ended here. */
  readonly takeProcess: () => DefinitionProcess;
  /** How long one file may take, in ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called once for each file, as soon as it is known. Not called any more after `signal`. */
  readonly onLoaded: (loaded: LoadedDefinition) => void;
}

/** A definition file after it was loaded: what its default export says, unchecked, or why it could not be. */
export type LoadedDefinition = {
  readonly file: string;
  /** What it was made from, as it was just before it was read. */
  readonly stamps: FileStamps;
} & ({ readonly definition: unknown } | { readonly error: ChanctlError });

/** After this long with one file the others wait no more. */
const OVERTAKE_MS = 1_000;

/**
 * Loads definition files in a short-lived child, for they may import anything. All share one child; those that stand
 * behind a slow one, or one that ends the child, are loaded in another.
 */
export async function loadDefinitions(files: readonly string[], options: LoadOptions): Promise<void> {
  const overtaking: Promise<void>[] = [];
  try {
    await loadInTurn(files, {
      ...options,
      onSlow: (others) => void overtaking.push(loadDefinitions(others, options)),
    });
  } finally {
    await Promise.all(overtaking);
  }
}

interface TurnOptions extends LoadOptions {
  /** Is given the files that stand behind a slow one: they are no longer loaded here. */
  readonly onSlow: (others: readonly string[]) => void;
}

async function loadInTurn(files: readonly string[], options: TurnOptions): Promise<void> {
  let left = files;
  while (left.length > 0 && !options.signal.aborted) {
    const end = await loadInChild(left, options);
    if (options.signal.aborted) return;
    for (const report of end.failed) options.onLoaded(toFailed(report, left.length === 1 ? end.output : ""));
    const [next] = end.left;
    if (next === undefined) return;
    const culprit = end.importing ?? { file: next, stamps: {} };
    if (end.kind === "ended" && left.length > 1) {
      // What ended the child may have been started by a file before this one: alone, it has its chance.
      await loadDefinitions([culprit.file], options);
    } else {
      options.onLoaded({
        file: culprit.file,
        stamps: culprit.stamps,
        error: toError(culprit.file, end, options),
      });
    }
    left = end.left.filter((file) => file !== culprit.file);
  }
}

type Report<Kind extends DefinitionReport["kind"]> = Extract<DefinitionReport, { kind: Kind }>;

/** How a child came to its end. */
interface ChildEnd {
  readonly kind: "done" | "slow" | "ended";
  readonly failed: readonly Report<"failed">[];
  /** The files that it has not reported. */
  readonly left: readonly string[];
  /** The file it was importing. */
  readonly importing: Report<"importing"> | undefined;
}

async function loadInChild(
  files: readonly string[],
  options: TurnOptions,
): Promise<ChildEnd & { readonly output: string }> {
  const { root, signal } = options;
  mkdirSync(options.cacheFolder, { recursive: true });
  const cacheFolder = mkdtempSync(join(options.cacheFolder, "load-"));
  // In the same turn as the call: so long the caller has one ready, and nothing of what it says is missed.
  const loader = options.takeProcess();
  const kill = (): void => void loader.end();
  signal.addEventListener("abort", kill);
  if (signal.aborted) kill();
  let end: ChildEnd;
  try {
    end = await follow(loader.child, { files, root, cacheFolder }, options);
  } finally {
    signal.removeEventListener("abort", kill);
    await loader.end();
    await rm(cacheFolder, { recursive: true, force: true });
  }
  return { ...end, output: loader.output };
}

function follow(child: ChildProcess, job: DefinitionJob, options: TurnOptions): Promise<ChildEnd> {
  const left = new Set(job.files);
  const failed: Report<"failed">[] = [];
  let importing: ChildEnd["importing"];
  return new Promise((resolve, reject) => {
    const end = (kind: ChildEnd["kind"]): void => {
      clearTimeout(timer);
      clearTimeout(overtakeTimer);
      resolve({ kind, failed, left: [...left], importing });
    };
    const timer = setTimeout(() => end("slow"), options.timeoutMs);
    const overtakeTimer = setTimeout(() => {
      const others = [...left].filter((file) => file !== importing?.file);
      if (importing === undefined || others.length === 0) return;
      for (const file of others) left.delete(file);
      options.onSlow(others);
    }, OVERTAKE_MS);
    child.on("message", (message) => {
      const report = parseReport(message);
      if (report === undefined || !left.has(report.file) || options.signal.aborted) return;
      timer.refresh();
      overtakeTimer.refresh();
      importing = report.kind === "importing" ? report : undefined;
      if (report.kind === "importing") return;
      left.delete(report.file);
      if (report.kind === "failed") failed.push(report);
      else options.onLoaded({ file: report.file, stamps: report.stamps, definition: report.definition });
      if (left.size === 0) end("done");
    });
    // Unlike `exit` it comes after the last message, and unlike `close` no process that the child started delays it.
    child.once("disconnect", () => end("ended"));
    child.once("error", (error) => {
      clearTimeout(timer);
      clearTimeout(overtakeTimer);
      reject(error);
    });
    child.send(job, () => {}); // where it fails, the child has ended
  });
}

function toFailed({ file, stamps, message, hint }: Report<"failed">, output: string): LoadedDefinition {
  const options = hint === undefined ? {} : { hint };
  return {
    file,
    stamps,
    error: new ChanctlError("definition_invalid", message + withOutput(output), options),
  };
}

function toError(
  file: string,
  { kind, importing, output }: ChildEnd & { readonly output: string },
  { root, timeoutMs }: LoadOptions,
): ChanctlError {
  const step = importing === undefined ? "bundling" : "importing";
  const isSlow = kind === "slow";
  const problem = isSlow
    ? `did not end within ${formatDuration(timeoutMs)}`
    : "ended the process that loads it";
  const message = `${relative(root, file)}: ${step} it ${problem}${withOutput(output)}`;
  const hint = isSlow
    ? "a definition is imported to read its static part: connect and wait inside `verify`"
    : "remove what ends it, such as `process.exit()`: a definition is imported to read its static part";
  return new ChanctlError("definition_invalid", message, { hint });
}

function withOutput(output: string): string {
  return output === "" ? "" : `\n\nIt wrote:\n${output}`;
}

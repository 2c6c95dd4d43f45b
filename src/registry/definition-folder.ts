import { relative, sep } from "node:path";

import { channelNameProblem } from "../protocol/channel-name.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import { listDefinitionFiles, mayHoldDefinition } from "./definition-files.ts";
import type { DefinitionFiles } from "./definition-files.ts";
import { DefinitionProcess, SpareProcess } from "./definition-process.ts";
import { linkTarget, stampOf } from "./file-stamp.ts";
import type { FileStamps } from "./file-stamp.ts";
import { FolderWatch } from "./folder-watch.ts";
import { loadDefinitions } from "./load-definitions.ts";
import type { LoadedDefinition, LoadOptions } from "./load-definitions.ts";

/** Quiet for this long, a save is over: editors remove a file and write it anew, a checkout writes many. */
const SETTLE_MS = 50;

/** The whole folder may be away for this long, in a checkout or a restore, before its channels count as removed. */
const AWAY_MS = 2_000;

/** What became of the files of one name. */
export type FolderEvent = {
  readonly name: string;
  /** Since the first sign of the change, in ms. */
  readonly durationMs: number;
} & (
  | { readonly kind: "removed" }
  | ({
      /** Relative to the project; two files, joined by " and ", where there are two. */
      readonly file: string;
    } & (
      | { readonly kind: "loaded"; readonly definition: unknown }
      | { readonly kind: "failed"; readonly error: ChanctlError }
    ))
);

/** Where the files are, how to load them, and whom to tell. */
export interface DefinitionFolderOptions extends Omit<LoadOptions, "takeProcess" | "signal" | "onLoaded"> {
  /** The environment in which they are imported. */
  readonly env: NodeJS.ProcessEnv;
  /** The folder of channel files, absolute. It need not be there. */
  readonly folder: string;
  readonly watch: boolean;
  /** Called with what the folder holds, then, with `watch`, with each change. */
  readonly onEvent: (event: FolderEvent) => void;
  /** Called when the folder cannot be read or watched any more. */
  readonly onError: (error: unknown) => void;
}

/** Loads of the same moment. Given up once newer ones have taken over all of its names. */
interface Load {
  readonly names: Set<string>;
  readonly controller: AbortController;
  readonly startedAt: number;
}

/** The files of one name. */
interface Source {
  readonly files: readonly string[];
  /** What the last load was made from; while one is under way, of the files that the one before was made from. */
  readonly stamps: FileStamps;
  /** The load under way; only its result counts. */
  readonly load?: Load;
  /** When its files began to be missing, by `performance.now()`; absent while the last look found one. */
  readonly missingSince?: number;
}

/** A look that has found no file of a name. */
interface Missed {
  readonly name: string;
  readonly source: Source;
  /** As the looks before say. */
  readonly missingSince: number | undefined;
  /** When this look's changes began, by `performance.now()`. */
  readonly startedAt: number;
  /** How long the channel stays all the same, in ms. */
  readonly leftMs: number;
}

/** The folder of definition files: loads each, and again when it, or something that it imports, is another. */
export class DefinitionFolder {
  readonly #options: DefinitionFolderOptions;
  readonly #sources = new Map<string, Source>();
  readonly #running = new Set<Promise<void>>();
  readonly #watch: FolderWatch | undefined;
  readonly #spare: SpareProcess;
  #timer: NodeJS.Timeout | undefined;
  #firstEventAt: number | undefined;
  /** Whether the last look found no folder. */
  #isAway = false;
  /** Until then, by `performance.now()`, no channel is removed: the folder has been away. */
  #keepUntil = 0;
  #isClosed = false;

  private constructor(options: DefinitionFolderOptions) {
    this.#options = options;
    this.#spare = new SpareProcess(() => new DefinitionProcess(options));
    if (!options.watch) return;
    this.#watch = new FolderWatch({ onEvent: () => this.#onSign(), onError: options.onError });
  }

  /**
   * Resolves once everything in the folder is loaded, or has failed to.
   *
   * @throws {ChanctlError} `definition_invalid` if the folder is there and cannot be read.
   */
  static async open(options: DefinitionFolderOptions): Promise<DefinitionFolder> {
    const folder = new DefinitionFolder(options);
    folder.#look();
    await Promise.all(folder.#running);
    return folder;
  }

  /** Loads these once more, whether their files have changed or not. */
  loadAgain(names: readonly string[]): void {
    const wanted = names.flatMap((name) => {
      const source = this.#sources.get(name);
      return source === undefined ? [] : [[name, source.files] as const];
    });
    if (wanted.length > 0 && !this.#isClosed) this.#load(wanted, performance.now());
  }

  /** Ends the watch and the loads under way. No event comes after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { load } of this.#sources.values()) load?.controller.abort();
    await Promise.all([this.#watch?.close(), this.#spare.drop(), ...this.#running]);
  }

  /** A process starts while the save settles: both take most of the time until a channel is live. */
  #onSign(): void {
    this.#lookSoon();
    if (this.#isClosed || this.#spare.isReady) return;
    try {
      if (this.#differsFrom(listDefinitionFiles(this.#options.folder))) this.#spare.prepare();
    } catch {
      // The look that follows says why.
    }
  }

  #lookSoon(): void {
    this.#firstEventAt ??= performance.now();
    this.#lookAfter(SETTLE_MS);
  }

  #lookAfter(milliseconds: number): void {
    if (this.#isClosed || this.#watch === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      try {
        this.#look();
      } catch (error) {
        this.#options.onError(error);
      }
    }, milliseconds);
  }

  /** Compares the disk with what was loaded, and loads what differs. In one turn, so that looks cannot overlap. */
  #look(): void {
    const startedAt = this.#firstEventAt ?? performance.now();
    this.#firstEventAt = undefined;
    const found = listDefinitionFiles(this.#options.folder);
    const leftMs = this.#leftToKeepMs({ isAway: found.folders.length === 0 });
    for (const [name, { missingSince, ...source }] of this.#sources) {
      if (!found.byName.has(name)) this.#miss({ name, source, missingSince, startedAt, leftMs });
      else if (missingSince !== undefined) this.#sources.set(name, source);
    }
    const stale = [...found.byName].filter(([name, files]) => isStale(this.#sources.get(name), files));
    if (stale.length > 0) this.#load(stale, startedAt);
    if (!this.#differsFrom(found)) void this.#spare.drop();
    this.#watchFiles(found);
  }

  #differsFrom({ byName }: DefinitionFiles): boolean {
    if (byName.size !== this.#sources.size) return true;
    return [...byName].some(([name, files]) => isStale(this.#sources.get(name), files));
  }

  /** How long the channels stay all the same, in ms: clients take a removal as final, and would not come back. */
  #leftToKeepMs({ isAway }: { readonly isAway: boolean }): number {
    const now = performance.now();
    if (isAway && !this.#isAway) this.#keepUntil = now + AWAY_MS;
    this.#isAway = isAway;
    return Math.ceil(this.#keepUntil - now);
  }

  /** One look is not enough to be removed: it may have come in the middle of a save. */
  #miss({ name, source, missingSince, startedAt, leftMs }: Missed): void {
    if (missingSince === undefined || leftMs > 0) {
      this.#sources.set(name, { ...source, missingSince: missingSince ?? startedAt });
      this.#lookAfter(Math.max(leftMs, SETTLE_MS));
      return;
    }
    this.#sources.delete(name);
    giveUp(name, source.load);
    this.#options.onEvent({ kind: "removed", name, durationMs: performance.now() - missingSince });
  }

  #load(stale: readonly (readonly [name: string, files: readonly string[]])[], startedAt: number): void {
    const load: Load = { names: new Set(), controller: new AbortController(), startedAt };
    const nameOf = new Map<string, string>();
    for (const [name, files] of stale) {
      const before = this.#sources.get(name);
      giveUp(name, before?.load);
      const paths = [...files, ...Object.keys(before?.stamps ?? {})];
      const stamps = Object.fromEntries(paths.map((path) => [path, stampOf(path)]));
      const error = this.#problemOf(name, files);
      this.#sources.set(name, { files, stamps, load });
      load.names.add(name);
      if (error !== undefined) this.#settle(name, { stamps, error }, load);
      else for (const file of files) nameOf.set(file, name);
    }
    if (nameOf.size > 0) this.#run(nameOf, load);
  }

  #run(nameOf: ReadonlyMap<string, string>, load: Load): void {
    const onLoaded = (loaded: LoadedDefinition): void => {
      const name = nameOf.get(loaded.file);
      if (name !== undefined) this.#settle(name, loaded, load);
    };
    const { signal } = load.controller;
    const takeProcess = (): DefinitionProcess => this.#spare.take();
    const running = loadDefinitions([...nameOf.keys()], { ...this.#options, takeProcess, signal, onLoaded })
      .catch((cause: unknown) => {
        // No child to be had, or the cache folder cannot be written: that is so for each of them.
        const message = `channel definitions cannot be loaded: ${messageOf(cause)}`;
        const error = new ChanctlError("definition_invalid", message, {
          cause,
          hint: `check that ${this.#options.cacheFolder} can be written`,
        });
        for (const file of nameOf.keys()) onLoaded({ file, stamps: {}, error });
      })
      .finally(() => {
        this.#running.delete(running);
        // What they were made from is known only now, and may have been saved meanwhile.
        this.#lookSoon();
      });
    this.#running.add(running);
  }

  #settle(name: string, loaded: Outcome, load: Load): void {
    const source = this.#sources.get(name);
    if (this.#isClosed || source?.load !== load) return; // a newer load stands for the name, or none does
    load.names.delete(name);
    const { files } = source;
    // Whoever hung has not said what it was made from.
    const stamps = Object.keys(loaded.stamps).length === 0 ? source.stamps : loaded.stamps;
    this.#sources.set(name, { files, stamps });
    const told = { name, file: this.#shown(files), durationMs: performance.now() - load.startedAt };
    if ("error" in loaded) this.#options.onEvent({ kind: "failed", ...told, error: loaded.error });
    else this.#options.onEvent({ kind: "loaded", ...told, definition: loaded.definition });
  }

  #problemOf(name: string, files: readonly string[]): ChanctlError | undefined {
    if (files.length > 1) {
      const message = `two files define the channel \`${name}\`: ${this.#shown(files)}`;
      return new ChanctlError("definition_invalid", message, { hint: "remove one of them" });
    }
    const problem = channelNameProblem(name);
    if (problem === undefined) return undefined;
    const message = `${this.#shown(files)}: the channel's name \`${name}\` ${problem}`;
    return new ChanctlError("definition_invalid", message, {
      hint: "rename the file, or begin its name with `_` if it is no channel",
    });
  }

  #shown(files: readonly string[]): string {
    return files.map((file) => relative(this.#options.root, file)).join(" and ");
  }

  #watchFiles({ folders }: DefinitionFiles): void {
    const { folder } = this.#options;
    const inputs = [...this.#sources.values()].flatMap(({ stamps }) => Object.keys(stamps));
    this.#watch?.watch({
      paths: new Set([folder, ...folders, ...inputs, ...inputs.flatMap((path) => linkTarget(path) ?? [])]),
      matters: (path) => path.startsWith(folder + sep) && mayHoldDefinition(path),
    });
  }
}

type Outcome =
  | { readonly stamps: FileStamps; readonly definition: unknown }
  | { readonly stamps: FileStamps; readonly error: ChanctlError };

function isStale(source: Source | undefined, files: readonly string[]): boolean {
  if (source === undefined || source.files.join() !== files.join()) return true;
  return Object.entries(source.stamps).some(([path, stamp]) => stamp !== stampOf(path));
}

function giveUp(name: string, load: Load | undefined): void {
  load?.names.delete(name);
  if (load?.names.size === 0) load.controller.abort();
}

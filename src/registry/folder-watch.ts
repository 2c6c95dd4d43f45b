import { basename, dirname, join } from "node:path";

import type { FSWatcher } from "chokidar";

import { statOf } from "./file-stamp.ts";

/** Events are lost where folders are replaced, and never come from a network drive or a folder shared with a container. */
const POLL_MS = 2_000;

/** What to watch. */
export interface WatchTargets {
  /** Files and folders, there or not, absolute. */
  readonly paths: ReadonlySet<string>;
  /** Whether a path that is new in one of those folders is worth a look. */
  readonly matters: (path: string) => boolean;
}

interface FolderWatchOptions {
  /** Called for each change, once a watch stands (what changed before that was not seen), and every two seconds. */
  readonly onEvent: () => void;
  /** Called where the system refuses to watch. */
  readonly onError: (error: unknown) => void;
}

/**
 * Says that something about some files and folders may have changed. Never what: events are lost and doubled
 * where folders are replaced, so whoever is told looks for itself.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions;
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #watched = "";
  #rebuilt: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Watches nothing until it is told what. */
  constructor(options: FolderWatchOptions) {
    this.#options = options;
    this.#poll = setInterval(options.onEvent, POLL_MS).unref();
  }

  /** Watches these from now on. Does nothing if they are what is watched already. */
  watch({ paths, matters }: WatchTargets): void {
    const folders = new Map<string, string>();
    const known = new Set<string>();
    for (const path of paths) {
      for (const ancestor of ancestors(path)) known.add(ancestor);
      for (const folder of [nearestFolder(path), nearestFolder(dirname(path))]) folders.set(...folder);
    }
    // With their identity: a folder that was replaced is another one, of which its old watch hears nothing.
    const watched = [...folders, ...paths].join("\n");
    if (watched === this.#watched) return;
    this.#watched = watched;
    const isWanted = (path: string): boolean => known.has(path) || matters(path);
    this.#rebuilt = this.#rebuilt.then(() => this.#rebuild([...folders.keys()], isWanted));
  }

  async #rebuild(folders: readonly string[], isWanted: (path: string) => boolean): Promise<void> {
    // Closed before the next is made: chokidar's watchers share the system's watch of a path, a dead one too.
    await endWatcher(this.#watcher);
    if (this.#isClosed) return;
    const { onEvent, onError } = this.#options;
    const { watch } = await import("chokidar");
    const isFolder = (watchedPath: string | undefined, name: string): boolean =>
      watchedPath !== undefined &&
      (name === basename(watchedPath) || folders.includes(join(watchedPath, name)));
    this.#watcher = watch([...folders], {
      depth: 0,
      atomic: false,
      ignoreInitial: true,
      ignored: (path) => !isWanted(path),
    })
      .on("all", onEvent)
      .on("ready", onEvent)
      .on("error", onError)
      // chokidar throttles: now and then it drops the event of a change that came right after another.
      .on("raw", (event, name, details: unknown) => {
        const watchedPath = watchedPathOf(details);
        const isSelf = !name || watchedPath === undefined || name === basename(watchedPath);
        // Moved away it is no longer watched, and back in its place it looks as if it had never left.
        if (event === "rename" && isFolder(watchedPath, name)) this.#watched = "";
        if (isSelf || isWanted(join(watchedPath, name))) onEvent();
      });
  }

  /** Ends the watch. No event comes after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#poll);
    await this.#rebuilt;
    await endWatcher(this.#watcher);
  }
}

/**
 * Closes a watcher for good. Where chokidar finds that a file is gone it watches for its return, after its close too: that
 * watch would keep the process, and its view of a folder that was replaced would be the next watcher's.
 *
 * @see https://github.com/paulmillr/chokidar/blob/5.0.0/src/index.ts (`_remove`)
 */
async function endWatcher(watcher: FSWatcher | undefined): Promise<void> {
  if (watcher === undefined) return;
  watcher.add = () => watcher;
  await watcher.close();
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

/** With its time of birth, for the inode of a folder that was just deleted is the first to be given again. */
function nearestFolder(path: string): [path: string, identity: string] {
  const stats = statOf(path);
  if (stats?.isDirectory() !== true) return nearestFolder(dirname(path));
  return [path, `${stats.ino}:${stats.birthtimeNs}`];
}

function watchedPathOf(details: unknown): string | undefined {
  if (typeof details !== "object" || details === null || !("watchedPath" in details)) return undefined;
  return typeof details.watchedPath === "string" ? details.watchedPath : undefined;
}

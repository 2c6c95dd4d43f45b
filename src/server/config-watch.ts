import { basename, join } from "node:path";

import { stampOf } from "../registry/file-stamp.ts";
import type { FileStamp, FileStamps } from "../registry/file-stamp.ts";
import { FolderWatch } from "../registry/folder-watch.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { LogEntry, Logger } from "../shared/logger.ts";
import { changedKeys, settingValues } from "./config-change.ts";
import type { SettingValues } from "./config-change.ts";
import { CONFIG_FILE_NAMES } from "./config-file.ts";
import { isLive } from "./live-settings.ts";
import type { ResolvedOptions } from "./resolve-options.ts";

/** Quiet for this long, a save is over. */
const SETTLE_MS = 50;

/** What was resolved, and what it was read from. */
export interface ReadConfig {
  readonly options: ResolvedOptions;
  /** Each file, the config's own first, as it was just before it was read. */
  readonly stamps: FileStamps;
}

/** How a config is read. */
export interface ConfigReading {
  /** Told of each file of the config just before it is read, or with the stamp that it had then. */
  readonly onInput: (file: string, stamp?: FileStamp) => void;
  /** Gives the reading up. */
  readonly signal?: AbortSignal;
}

interface ConfigWatchOptions {
  /** The project's folder, absolute. */
  readonly root: string;
  /** What the server was started with. */
  readonly started: ReadConfig;
  /** Reads everything anew, as at the start: flags and variables still come first. */
  readonly read: (reading: ConfigReading) => Promise<ResolvedOptions>;
  /** Takes over what can be. */
  readonly apply: (options: ResolvedOptions) => void;
  readonly logger: Logger;
}

/**
 * Follows the config of a running server: what is saved is read again, what can be applied is, and what needs a restart
 * is named. A config that is broken or gone is told of, and the last good one stays in force.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #watch: FolderWatch;
  /** What the server goes by now. */
  #inForce: SettingValues;
  #stamps: FileStamps;
  /** What is wrong with the config, as it was told. */
  #problem: string | undefined;
  /** What was named as needing a restart, so that each save does not name it again. */
  #waiting = "";
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  /** The reading under way: one that hangs is given up for what was saved meanwhile. */
  #reading: Reading | undefined;
  #isMissing = false;
  #isClosed = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#inForce = settingValues(options.started.options);
    this.#stamps = options.started.stamps;
    this.#watch = new FolderWatch({
      onEvent: () => this.#lookSoon(),
      onError: (error) =>
        this.#tell({ level: "warn", message: `the config cannot be watched: ${messageOf(error)}` }),
    });
    this.#watchFiles();
  }

  /** Ends the watch. Nothing is applied after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#reading?.controller.abort();
    await Promise.all([this.#watch.close(), this.#looking]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#reading !== undefined && isOutdated(this.#reading.stamps)) this.#reading.controller.abort();
      // One after the other: of two reads at once the older could end last.
      this.#looking = this.#looking.then(() => this.#look());
    }, SETTLE_MS);
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return;
    // A folder on the way to what is not there yet may be new, and has to be watched before that comes.
    if (!this.#hasChanged()) return this.#watchFiles();
    const isMissing = this.#present().length === 0;
    if (isMissing && !this.#isMissing) {
      // Once is not enough to be gone: the look may have come in the middle of a save.
      this.#isMissing = true;
      return this.#lookSoon();
    }
    this.#isMissing = isMissing;
    if (isMissing) {
      this.#stamps = Object.fromEntries(Object.keys(this.#stamps).map((file) => [file, stampOf(file)]));
      const message =
        "the config is gone; its settings stay in force until it is back or chanctl is restarted";
      return this.#tellProblem({ level: "warn", message });
    }
    await this.#readAnew();
    this.#watchFiles();
    this.#lookSoon(); // what it was read from is known only now, and may have been saved meanwhile
  }

  async #readAnew(): Promise<void> {
    const stamps: Record<string, string> = {};
    const controller = new AbortController();
    const { signal } = controller;
    this.#reading = { stamps, controller };
    try {
      const options = await this.#options.read({
        onInput: (file, stamp) => (stamps[file] ??= stamp ?? stampOf(file)),
        signal,
      });
      this.#stamps = stamps;
      if (!this.#isClosed) this.#takeOver(options);
    } catch (error) {
      // What made the config before is still watched: a file that has moved may come back.
      this.#stamps = { ...restamp(this.#stamps), ...stamps };
      if (signal.aborted) return;
      const message = `${messageOf(error)}\n\nThe last good config stays in force.`;
      const hint = error instanceof ChanctlError ? error.hint : undefined;
      this.#tellProblem({ level: "error", message, ...(hint === undefined ? {} : { hint }) });
    } finally {
      this.#reading = undefined;
    }
  }

  #takeOver(options: ResolvedOptions): void {
    const wanted = settingValues(options);
    const changed = changedKeys(this.#inForce, wanted);
    const live = changed.filter(isLive);
    const fixed = changed.filter((key) => !isLive(key));
    if (live.length > 0) {
      this.#options.apply(options);
      this.#inForce = {
        ...this.#inForce,
        ...Object.fromEntries(live.map((key) => [key, wanted[key] ?? ""])),
      };
    }
    const waiting = fixed.join(", ");
    const isNews = waiting !== "" && waiting !== this.#waiting;
    const parts = [
      ...(live.length > 0 ? [`applied ${live.join(", ")}`] : []),
      ...(isNews ? [`restart chanctl for ${waiting}`] : []),
      ...(this.#problem !== undefined && changed.length === 0 ? ["good again, nothing has changed"] : []),
    ];
    this.#problem = undefined;
    this.#waiting = waiting;
    const file = basename(this.#present()[0] ?? "chanctl.config");
    if (parts.length === 0) return;
    this.#tell({ level: isNews ? "warn" : "info", message: `${file}: ${parts.join("; ")}` });
  }

  #tellProblem(notice: Notice): void {
    if (notice.message === this.#problem) return;
    this.#problem = notice.message;
    this.#tell(notice);
  }

  #tell({ level, message, hint }: Notice): void {
    const fields = hint === undefined ? {} : { fields: { hint } };
    this.#options.logger({ level, event: "config-reload", message, ...fields });
  }

  #hasChanged(): boolean {
    return isOutdated(this.#stamps) || this.#present().some((file) => this.#stamps[file] === undefined);
  }

  /** The config files that are there; two of them are an error that reading tells. */
  #present(): readonly string[] {
    return this.#candidates().filter((file) => stampOf(file) !== "absent");
  }

  #candidates(): readonly string[] {
    return CONFIG_FILE_NAMES.map((name) => join(this.#options.root, name));
  }

  #watchFiles(): void {
    if (this.#isClosed) return;
    const paths = new Set([...this.#candidates(), ...Object.keys(this.#stamps)]);
    this.#watch.watch({ paths, matters: () => false });
  }
}

/** What is told. */
interface Notice extends Pick<LogEntry, "level" | "message"> {
  /** What to do about it. */
  readonly hint?: string;
}

interface Reading {
  readonly controller: AbortController;
  /** What it has read so far. */
  readonly stamps: FileStamps;
}

function isOutdated(stamps: FileStamps): boolean {
  return Object.entries(stamps).some(([file, stamp]) => stamp !== stampOf(file));
}

function restamp(stamps: FileStamps): FileStamps {
  return Object.fromEntries(Object.keys(stamps).map((file) => [file, stampOf(file)]));
}

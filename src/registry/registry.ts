import { parseDefinition } from "../protocol/definition.ts";
import type { ChannelDefinition } from "../protocol/definition.ts";
import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";
import type { Logger } from "../shared/logger.ts";
import { compareDefinitions } from "./channel-change.ts";
import type { ChannelChange } from "./channel-change.ts";
import { Channel } from "./channel.ts";
import { assertNoFile, missingFolder } from "./definition-files.ts";
import { DefinitionFolder } from "./definition-folder.ts";
import type { FolderEvent } from "./definition-folder.ts";
import { placeDefinition } from "./definition-place.ts";
import { failedEntry, loadedEntry, removedEntry } from "./reload-log.ts";
import { createSchemaCompiler } from "./schema-check.ts";
import type { CompileSchema } from "./schema-check.ts";

const LOAD_TIMEOUT_MS = 10_000;

/** Where the channels are, and how to load them. */
export interface RegistryOptions {
  /** The project's folder, absolute: where definitions are imported, and what paths in errors are relative to. */
  readonly root: string;
  /** The folder of channel files, absolute. It need not be there. */
  readonly folder: string;
  /** A folder inside the project for bundles, absolute: `<root>/.chanctl/definitions`. */
  readonly cacheFolder: string;
  /** The environment in which definitions are imported. */
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Loads a definition again when its file, or one that it imports, is saved. */
  readonly watch: boolean;
  readonly limits: Pick<Limits, "maxParamsBytes">;
  /** How long one definition may take to load, in ms. @default 10 s */
  readonly loadTimeoutMs?: number;
}

/** A channel of the folder, whether it works or not. */
export interface RegistryEntry {
  readonly name: string;
  /** Its file, relative to the project; two, joined by " and ", if two define it. */
  readonly file: string;
  /** The last good definition, which is live; absent if there was none yet. */
  readonly definition: ChannelDefinition | undefined;
  /** Why the file is not live as it is now. */
  readonly error: ChanctlError | undefined;
}

/** A channel's file was saved and loads, or is gone. */
export interface FileChange {
  readonly kind: "saved" | "removed";
  readonly name: string;
  /** Relative to the project. */
  readonly file: string;
  /** The last good definition before; `undefined` if there was none. */
  readonly before: ChannelDefinition | undefined;
  /** Whether the file did not load before. */
  readonly wasBroken: boolean;
}

interface Entry {
  readonly file: string;
  readonly channel: Channel | undefined;
  readonly error: ChanctlError | undefined;
}

/** The channels of a project: loaded from their files and, with `watch`, kept up to date. The last good of each is live. */
export class Registry {
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(change: ChannelChange) => void>();
  readonly #fileListeners = new Set<(change: FileChange) => void>();
  readonly #root: string;
  readonly #limits: RegistryOptions["limits"];
  readonly #logger: Logger;
  readonly #compileSchema: CompileSchema = createSchemaCompiler();
  #folder: DefinitionFolder | undefined;

  private constructor({ root, limits, logger }: RegistryOptions) {
    this.#root = root;
    this.#limits = limits;
    this.#logger = logger;
  }

  /**
   * Resolves once all definitions are loaded. One that fails does not make this fail: see `failures`.
   *
   * @throws {ChanctlError} `definition_invalid` if the folder is there and cannot be read, or is a file.
   */
  static async open(options: RegistryOptions): Promise<Registry> {
    assertNoFile(options.folder);
    const missing = missingFolder(options);
    if (missing !== undefined) {
      const { message, hint } = missing;
      options.logger({ level: "warn", event: "channels-missing", message, fields: { hint } });
    }
    const registry = new Registry(options);
    registry.#folder = await DefinitionFolder.open({
      ...options,
      timeoutMs: options.loadTimeoutMs ?? LOAD_TIMEOUT_MS,
      onEvent: (event) => registry.#apply(event),
      onError: (error) => registry.#tellError(error),
    });
    return registry;
  }

  /** The channel of this name as it was last good. */
  get(name: string): Channel | undefined {
    return this.#entries.get(name)?.channel;
  }

  /** Whether there is a file of this name that has never loaded. */
  isBroken(name: string): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.channel === undefined;
  }

  /** All channels of the folder by name, broken ones too. */
  entries(): RegistryEntry[] {
    return [...this.#entries]
      .map(([name, { file, channel, error }]) => ({ name, file, definition: channel?.definition, error }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The errors of those that are not live as their files are now. */
  get failures(): ChanctlError[] {
    return this.entries().flatMap(({ error }) => error ?? []);
  }

  /** The live channel that was probably meant, for "did you mean …". */
  suggest(name: string): string | undefined {
    const live = [...this.#entries].filter(([, { channel }]) => channel !== undefined);
    return didYouMean(
      name,
      live.map(([known]) => known),
    );
  }

  /**
   * Calls `listener` for each channel that is added, removed or changed from now on, once `get` says so too.
   *
   * @returns a function that ends this.
   */
  onChange(listener: (change: ChannelChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Calls `listener` when a channel's file was saved and loads, whether the broker sees a change or not: the code of
   * `verify` and `onPublish` may be another. Also when it is gone.
   *
   * @returns a function that ends this.
   */
  onFileChange(listener: (change: FileChange) => void): () => void {
    this.#fileListeners.add(listener);
    return () => void this.#fileListeners.delete(listener);
  }

  /** Tries those once more that are not live as their files are now: the cause may be where no watch looks. */
  retry(): void {
    const broken = this.entries().filter(({ error }) => error !== undefined);
    this.#folder?.loadAgain(broken.map(({ name }) => name));
  }

  /** Ends the watch. The channels stay as they are. */
  async close(): Promise<void> {
    await this.#folder?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #apply(event: FolderEvent): void {
    if (event.kind === "removed") return this.#remove(event);
    const { name, file, durationMs } = event;
    const { channel: before, error: problem } = this.#entries.get(name) ?? {};
    const after = event.kind === "loaded" ? this.#toChannel(event) : event.error;
    if (after instanceof ChanctlError) {
      this.#entries.set(name, { file, channel: before, error: after });
      this.#logger(failedEntry({ name, file, isLive: before !== undefined }, after));
      return;
    }
    this.#entries.set(name, { file, channel: after, error: undefined });
    // Nobody can be told before `open` has returned, and its caller shows what is loaded.
    if (this.#folder === undefined) return;
    const change = toChange(before, after);
    const wasBroken = problem !== undefined;
    this.#logger(loadedEntry({ name, change, isMended: wasBroken, durationMs }));
    if (change !== undefined) this.#emit(change);
    this.#emitFile({ kind: "saved", name, file, before: before?.definition, wasBroken });
  }

  #remove({ name, durationMs }: Extract<FolderEvent, { kind: "removed" }>): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return; // it was gone before it was read
    const { file, channel: before, error } = entry;
    this.#entries.delete(name);
    this.#logger(removedEntry({ name, durationMs }));
    if (before !== undefined) this.#emit({ kind: "removed", name, before });
    const wasBroken = error !== undefined;
    this.#emitFile({ kind: "removed", name, file, before: before?.definition, wasBroken });
  }

  #toChannel({ name, file, definition }: Extract<FolderEvent, { kind: "loaded" }>): Channel | ChanctlError {
    try {
      return new Channel(parseDefinition(name, definition), {
        compileSchema: this.#compileSchema,
        limits: this.#limits,
      });
    } catch (error) {
      if (!(error instanceof ChanctlError)) throw error;
      const { code, message, hint, fields } = error;
      const { key, valueAt } = fields;
      const place = { root: this.#root, file, key: textOf(key), valueAt: textOf(valueAt) };
      return new ChanctlError(code, placeDefinition(message, place), {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }

  #emit(change: ChannelChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #emitFile(change: FileChange): void {
    for (const listener of this.#fileListeners) listener(change);
  }

  #tellError(error: unknown): void {
    this.#logger({
      level: "error",
      event: "definition-error",
      message: `channel files are not reloaded: ${messageOf(error)}`,
    });
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** `undefined` if nothing of the definition has changed: the code of `verify` runs in the app. */
function toChange(before: Channel | undefined, after: Channel): ChannelChange | undefined {
  const { name } = after;
  if (before === undefined) return { kind: "added", name, after };
  const changed = compareDefinitions(before.definition, after.definition);
  return Object.values(changed).includes(true)
    ? { kind: "changed", name, before, after, changed }
    : undefined;
}

import type { StoreProbe } from "../../broker/store-probe.ts";
import type { RunFile } from "../../platform/run-file.ts";
import type { RegistryEntry } from "../../registry/registry.ts";
import type { ResolvedOptions } from "../../server/resolve-options.ts";
import type { ChanctlError } from "../../shared/errors.ts";

/** How a thing stands: `warn` works and will annoy, `fail` does not work. */
export type Status = "ok" | "warn" | "fail";

/** What a check says of one thing. */
export interface Verdict {
  readonly status: Status;
  readonly message: string;
  /** The command or the line to write; several lines are allowed. */
  readonly fix?: string;
}

/** Where a check stands in the report. */
export type Group = "machine" | "project" | "store" | "certificates" | "server";

/** Looks at one thing and changes nothing. */
export interface Check {
  readonly name: string;
  readonly group: Group;
  /**
   * @returns one verdict, several, or `undefined` where there is nothing to say. What it throws is a `fail`.
   */
  run(scene: Scene, signal: AbortSignal): Promise<Verdict | readonly Verdict[] | undefined>;
}

/** The project as the checks find it; made once, so that all look at the same. */
export interface Scene {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's folder, absolute. */
  readonly root: string;
  readonly stateFolder: string;
  /** Whether there is a package.json, a config or a `.chanctl` here. */
  readonly isProject: boolean;
  /** The config file, absolute; absent: there is none. */
  readonly configPath: string | undefined;
  /** The settings of `dev` without flags, or why there are none. */
  readonly settings: ResolvedOptions | ChanctlError;
  /** What a chanctl left in run.json, and whether its process lives. */
  readonly run: (RunFile & { readonly isAlive: boolean }) | undefined;
  /** The user's config folder, absolute. */
  readonly home: string;
  /** The store, looked at once for all checks. */
  readonly store: Promise<StoreProbe>;
  /** The channels as their files are now, loaded once for all checks; none where the settings do not say where they are. */
  readonly channels: Promise<readonly RegistryEntry[]>;
}

import type { LoadCalls } from "../processes/calls.ts";
import type { Child } from "../processes/child.ts";
import type { Endpoints } from "../targets/target.ts";

/** How large a run is: the full one, or the short one for CI. */
export interface Size {
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Subscribers of a fan-out. */
  readonly subscribers: number;
}

/** A target that was started for one run, and the processes that make load on it. */
export interface Session {
  readonly endpoints: Endpoints;
  /** An empty folder on the disk that the target stores on, absolute. */
  readonly folder: string;
  readonly size: Size;
  /** CPU time that the target has used so far, in µs. */
  cpuUs(): Promise<number>;
  /** What the target holds of the machine's memory after a garbage collection, in bytes. */
  rssBytes(): Promise<number>;
  /** Starts a load generator; it ends with the session. */
  startLoad(): Child<LoadCalls>;
}

/** What one run of one target came to. */
export interface Run {
  /** By the keys of the scenario's columns. */
  readonly figures: Readonly<Record<string, number>>;
  /** What a reader of the figures must know: "the load generator was the limit". */
  readonly notes: readonly string[];
  /** Messages that were lost, doubled or out of order: the figures count for nothing. */
  readonly problems: readonly string[];
}

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly decimals: number;
  /** Show the spread over the rounds, and what chanctl's is of the other targets'. */
  readonly isCompared?: boolean;
}

/** One thing that is measured, on several targets in the same call. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** The set-up, for the table and the JSON. */
  describe(size: Size): string;
  /** The names of the targets, chanctl first. */
  readonly targets: readonly string[];
  readonly columns: readonly Column[];
  run(session: Session): Promise<Run>;
}

/** Past this share of a core a generator may be what limits the figures. */
export const GENERATOR_LIMIT = 0.85;

/** Something that happened, for the person at the terminal and for the log. */
export interface LogEntry {
  readonly level: "info" | "warn" | "error";
  /** A stable name for programs, in kebab-case: `connect`, `publish`, `reload`, `app-exit`. */
  readonly event: string;
  /** One line for a person. Never holds a token, a cookie or a message's data (CWE-532). */
  readonly message: string;
  /** What a program wants to know beside it; units in the names. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Takes what happened. Commands decide how it looks; library code only tells. */
export type Logger = (entry: LogEntry) => void;

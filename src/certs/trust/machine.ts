/** What a trust store sees of the machine: everything that it reads, and every program that it starts. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, absolute. */
  readonly homedir: string;
  readonly isRoot: boolean;
  readonly files: FileView;
  /** Runs a program to its end. Resolves whatever its exit code; 127 if it cannot be started. */
  run(command: readonly string[], options?: RunOptions): Promise<CommandResult>;
}

/** Read-only view of the file system. What cannot be read counts as absent. */
export interface FileView {
  exists(path: string): boolean;
  /** The names in a folder, sorted. */
  list(folder: string): readonly string[];
  read(path: string): Buffer | undefined;
  readLink(path: string): string | undefined;
  canWrite(path: string): boolean;
}

/** How a program runs. */
export interface RunOptions {
  /** It asks for a password on the terminal if it needs one, and is waited for as long as a person takes. */
  readonly mayAskPassword?: boolean;
  /** The system asks in a window of its own, and is waited for as long where somebody sits there. */
  readonly mayOpenWindow?: boolean;
  /** It is ended after so long, ms, unless a person is waited for. @default a minute */
  readonly timeoutMs?: number;
}

/** How a program ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

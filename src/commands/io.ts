import type { Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";

import { errorCodeOf } from "../shared/errors.ts";
import { toOutputError } from "./file-error.ts";
import { printError } from "./print-error.ts";

/** What a command sees of the terminal and the process: all that it reads and all that it writes to. */
export interface Io {
  /** Writes data. Once the reader is gone (`| head`) this does nothing. */
  stdout(text: string): void;
  /** Writes bytes and resolves when they are on their way: a slow reader slows who writes. Never rejects. */
  output(bytes: Uint8Array): Promise<void>;
  /** Writes notices and errors, which a pipe must not carry. */
  stderr(text: string): void;
  readonly stdin: Readable;
  /** Standard input where it is a terminal, whose keys can be read singly. Opened by its first use. */
  readonly keyboard: ReadStream | undefined;
  /** Whether a person can be asked: standard input and standard output are both terminals, and not those of a CI. */
  readonly isTerminal: boolean;
  /** Whether standard output is a terminal, so that lines are fitted to `columns`. */
  readonly isOutputTerminal: boolean;
  /** The terminal's width now; 80 where there is no terminal. */
  readonly columns: number;
  /** The terminal's height now; 24 where there is no terminal. */
  readonly rows: number;
  /** Whether a line on standard output can be drawn again in place: a terminal that can, with a person before it. */
  readonly canRedraw: boolean;
  /** Calls `listener` when the terminal has another size. @returns A function that ends this. */
  onResize(listener: () => void): () => void;
  /** Whether to colour what goes to standard output. */
  readonly color: boolean;
  /** Whether to colour what goes to standard error. */
  readonly errorColor: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory, absolute. */
  readonly cwd: string;
  /** Aborts when standard output is of no use any more, its reader gone: a lasting command then ends, quietly. */
  readonly outputClosed: AbortSignal;
  /**
   * Has output that cannot be written, to a full disk say, left out until it can be: for who serves others. Else it
   * closes the output and is a failure. It is told once, on standard error.
   */
  outlastOutput(): void;
  /** Sets the code that the process ends with once the command is over. */
  setExitCode(code: number): void;
  /** Ends the process now, whatever is still open: for who has asked twice. @default code that of `setExitCode` */
  exitNow(code?: number): never;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** The real terminal and process. Call it once, at the entry of the command line. */
export function processIo(): Io {
  const { stdout, stderr, env } = process;
  const closed = new AbortController();
  let isLasting = false;
  let isTold = false;
  const onOutputError = (error: Error): void => {
    if (isGone(error)) return closed.abort();
    const code = isTold ? undefined : printError(toOutputError(error, { isLasting }), io);
    isTold = true;
    if (isLasting) return;
    if (code !== undefined) io.setExitCode(code);
    closed.abort();
  };
  stdout.on("error", onOutputError);
  stderr.on("error", (error) => {
    if (isGone(error)) closed.abort(); // of any other failure nobody could be told
  });
  const io: Io = {
    stdout: (text) => {
      if (!closed.signal.aborted) stdout.write(text);
    },
    output: (bytes) =>
      new Promise((resolve) => {
        if (closed.signal.aborted) resolve();
        else stdout.write(bytes, () => resolve());
      }),
    stderr: (text) => {
      if (!stderr.destroyed) stderr.write(text);
    },
    get stdin() {
      return process.stdin; // opened by its first use: most commands never read
    },
    get keyboard() {
      return isatty(0) && process.stdin instanceof ReadStream ? process.stdin : undefined;
    },
    isTerminal: isatty(0) && isatty(1) && !env["CI"],
    isOutputTerminal: isatty(1),
    get columns() {
      return stdout.columns || DEFAULT_COLUMNS; // 0 where the terminal does not say
    },
    get rows() {
      return stdout.rows || DEFAULT_ROWS;
    },
    onResize: (listener) => {
      stdout.on("resize", listener);
      return () => stdout.off("resize", listener);
    },
    canRedraw: isatty(1) && env["TERM"] !== "dumb" && !env["CI"],
    color: wantsColor(env, isatty(1)),
    errorColor: wantsColor(env, isatty(2)),
    env,
    cwd: process.cwd(),
    outputClosed: closed.signal,
    outlastOutput: () => {
      isLasting = true;
    },
    setExitCode: (code) => {
      process.exitCode = code;
    },
    exitNow: (code = Number(process.exitCode ?? 0)) => process.exit(code),
  };
  return io;
}

/** EPIPE: the reader ended. EIO: the terminal did. Neither is a failure of ours. */
function isGone(error: Error): boolean {
  return ["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(errorCodeOf(error) ?? "");
}

/**
 * Whether to colour a stream: `NO_COLOR` (https://no-color.org), then `FORCE_COLOR`, then whether it is a
 * terminal that can and that a person looks at.
 */
function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if (env["NO_COLOR"]) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTerminal && env["TERM"] !== "dumb" && !env["CI"];
}

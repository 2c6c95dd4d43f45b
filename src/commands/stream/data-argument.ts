import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { ChanctlError, messageOf } from "../../shared/errors.ts";
import type { Io } from "../io.ts";

/**
 * The bytes that a data argument stands for, as they come: itself, `@file`, or `-` for standard input.
 *
 * @throws {ChanctlError} `usage` if the file cannot be read.
 */
export async function* readBytesArgument(argument: string, io: Io): AsyncGenerator<Buffer> {
  if (argument === "-") yield* io.stdin as AsyncIterable<Buffer>;
  else if (argument.startsWith("@")) yield* readPieces(resolve(io.cwd, argument.slice(1)));
  else if (argument !== "") yield Buffer.from(argument);
}

/** All bytes of a data argument at once. */
export async function readWholeArgument(argument: string, io: Io): Promise<Buffer> {
  if (argument === "-") return buffer(io.stdin);
  if (!argument.startsWith("@")) return Buffer.from(argument);
  return readFile(resolve(io.cwd, argument.slice(1))).catch(unreadable);
}

async function* readPieces(path: string): AsyncGenerator<Buffer> {
  const file: Readable = createReadStream(path);
  try {
    yield* file as AsyncIterable<Buffer>;
  } catch (cause) {
    unreadable(cause);
  } finally {
    file.destroy();
  }
}

function unreadable(cause: unknown): never {
  throw new ChanctlError("usage", `the data file cannot be read: ${messageOf(cause)}`, {
    cause,
    hint: "@<file>     its path, from the working directory",
  });
}

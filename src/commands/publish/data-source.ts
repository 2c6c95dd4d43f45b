import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { ChanctlError, messageOf } from "../../shared/errors.ts";

const ONE_A_LINE = `{"text":"hi"}     each line is one JSON`;

/** The data of one message: JSON text, exactly as it was given. */
export interface BatchItem {
  readonly dataText: string;
  /** Its line in the input, from 1; absent where it was not one of many. */
  readonly line?: number;
}

/**
 * The one message of a data argument: JSON, or `@file` with JSON in it.
 *
 * @throws {ChanctlError} `usage` if it is not JSON or the file cannot be read.
 */
export async function* readDataArgument(argument: string, cwd: string): AsyncGenerator<BatchItem> {
  if (!argument.startsWith("@")) {
    yield { dataText: parseJsonText(argument, { place: "the data", hint: quoteHint(argument) }) };
    return;
  }
  const path = resolve(cwd, argument.slice(1));
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ChanctlError("usage", `the data file cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: `@<file>     its path, from ${cwd}`,
    });
  });
  yield { dataText: parseJsonText(text, { place: path, hint: `correct ${argument.slice(1)} and save it` }) };
}

/** The messages of standard input, one JSON a line; empty lines are left out. */
export async function* readJsonLines(input: Readable): AsyncGenerator<BatchItem> {
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() !== "")
      yield {
        dataText: parseJsonText(line, { place: `line ${number} of the input`, hint: ONE_A_LINE }),
        line: number,
      };
  }
}

function parseJsonText(text: string, { place, hint }: { place: string; hint: string }): string {
  const bare = text.replace(/^\uFEFF/, "");
  try {
    JSON.parse(bare);
    return bare;
  } catch (cause) {
    const message = `${place} must be JSON: ${messageOf(cause)}`;
    throw new ChanctlError("usage", message, { cause, hint });
  }
}

function quoteHint(argument: string): string {
  if (/^\s*[{[]/.test(argument)) return `'{"text":"hi"}'     names and texts stand between double quotes`;
  return `a text is '${JSON.stringify(argument)}', an object '{"text":${JSON.stringify(argument)}}'`;
}

import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readLines } from "#src/app/output-lines.ts";

async function linesOf(...chunks: (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "close");
  return lines;
}

test("splits at LF and CRLF, wherever the chunks end", async () => {
  expect(await linesOf("one\ntw", "o\r", "\n\nthree")).toEqual(["one", "two", "", "three"]);
});

test("keeps a character that is split over two chunks", async () => {
  const bytes = Buffer.from("grün\n");
  expect(await linesOf(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(["grün"]);
});

test("cuts a line that never ends", async () => {
  const lines = await linesOf("x".repeat(40_000), "end\n");
  expect(lines.map((line) => line.length)).toEqual([16_384, 16_384, 40_003 - 2 * 16_384]);
});

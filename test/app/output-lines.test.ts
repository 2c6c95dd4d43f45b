import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { announcedPort } from "#src/app/announced-port.ts";
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

test.each([
  ["  ➜  Local:   http://localhost:\u001B[1m5173\u001B[22m/", 5173],
  ["- Local:        http://localhost:3000", 3000],
  ["Listening on http://[::]:8080", 8080],
  ["started server on 0.0.0.0, url: http://0.0.0.0:3000", 3000],
  ["Example app listening on port 3000", 3000],
  ["Server running on port: 4000", 4000],
  ["listening on :8080", 8080],
  ["Server is listening at localhost:5000", 5000],
  ["started worker 3 of 4", undefined],
  ["connected to the database on port 5432", undefined],
  ["see https://example.com:8443/docs", undefined],
  ["http://localhost/", undefined],
])("finds the port that a line announces: %s", (line, port) => {
  expect(announcedPort(line)).toBe(port);
});

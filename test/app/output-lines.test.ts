import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
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

afterEach(() => {
  vi.useRealTimers();
});

/** A stream whose lines are collected, under a clock of its own. */
function open(): { stream: PassThrough; lines: string[] } {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  return { stream, lines };
}

/** What was written has been read. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

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

test("shows what lacks its end after a while, and what follows as the next line", async () => {
  const { stream, lines } = open();
  stream.write("Continue? (y/N) ");
  await turn();
  vi.advanceTimersByTime(199);
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(lines).toEqual(["Continue? (y/N) "]);
  stream.write("y\nwent on\n");
  await turn();
  expect(lines).toEqual(["Continue? (y/N) ", "y", "went on"]);
});

test("shows no empty line for the end of one that is shown already", async () => {
  const { stream, lines } = open();
  for (const piece of ["...", "...", "\r", "\n\nnext\n"]) {
    stream.write(piece);
    await turn();
    vi.advanceTimersByTime(200);
  }
  expect(lines).toEqual(["...", "...", "", "next"]);
});

test("keeps a line whole that comes in two pieces, however long it takes them all", async () => {
  const { stream, lines } = open();
  for (const piece of ["one", " and", " two\n"]) {
    stream.write(piece);
    await turn();
    vi.advanceTimersByTime(150);
  }
  expect(lines).toEqual(["one and two"]);
});

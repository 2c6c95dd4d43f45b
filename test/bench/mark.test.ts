import { expect, test } from "vitest";
import { createMarkScanner, PayloadMaker } from "../../bench/load/mark.ts";
import type { Mark } from "../../bench/load/mark.ts";

const WRAP = { prefix: '{"type":"message","data":', suffix: "}" };

function scan(chunks: readonly Buffer[]): Mark[] {
  const marks: Mark[] = [];
  const scanner = createMarkScanner((lane, number, atUs) => marks.push({ lane, number, atUs }));
  for (const chunk of chunks) scanner.push(chunk);
  return marks;
}

test("a payload is 256 bytes of JSON between what goes around it", () => {
  const bytes = new PayloadMaker(WRAP).make({ lane: 3, number: 41, atUs: 1_234_567 });
  const { type, data }: { type: string; data: unknown } = JSON.parse(bytes.toString());
  expect(type).toBe("message");
  expect(JSON.stringify(data)).toHaveLength(256);
});

test("finds every mark wherever the bytes are cut", () => {
  const payloads = new PayloadMaker(WRAP);
  const published = [0, 1, 2].map((number) => ({ lane: 15, number, atUs: 987_654_321_000 + number }));
  const bytes = Buffer.concat(published.map((mark) => Buffer.from(payloads.make(mark))));
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    expect(scan([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(published);
  }
  expect(scan([...bytes].map((byte) => Buffer.from([byte])))).toEqual(published);
});

test("keeps no reference to a chunk, which is a buffer that is read into again", () => {
  const mark = { lane: 1, number: 2, atUs: 3 };
  const bytes = Buffer.from(new PayloadMaker(WRAP).make(mark));
  const marks: Mark[] = [];
  const scanner = createMarkScanner((lane, number, atUs) => marks.push({ lane, number, atUs }));
  const chunk = Buffer.from(bytes.subarray(0, 40));
  scanner.push(chunk);
  chunk.fill(0);
  scanner.push(bytes.subarray(40));
  expect(marks).toEqual([mark]);
});

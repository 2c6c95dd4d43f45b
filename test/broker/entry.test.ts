import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, cutEntries } from "#src/broker/entry.ts";
import type { Entry } from "#src/broker/entry.ts";

/** Rows one after the other, some as text and some as bytes. */
const rows: fc.Arbitrary<Entry[]> = fc
  .array(
    fc.oneof(
      fc.string({ minLength: 1, maxLength: 5, unit: "grapheme" }),
      fc.uint8Array({ minLength: 1, maxLength: 5 }),
    ),
  )
  .map((bodies) => {
    let position = 0;
    return bodies.map((body) => {
      position += Buffer.from(body as string).length;
      return { position, body };
    });
  });

describe("cutEntries", () => {
  it("leaves the bytes after one place and up to another, wherever the rows end", () => {
    fc.assert(
      fc.property(rows, fc.nat(30), fc.nat(30), (entries, one, other) => {
        const all = Buffer.concat(entries.map(bytesOf));
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const cut = cutEntries(entries, { from, to });
        expect(Buffer.concat(cut.map(bytesOf))).toEqual(all.subarray(from, to));
        expect(cut.every(({ body }) => body.length > 0)).toBe(true);
        if (cut.length > 0) expect(cut.at(-1)?.position).toBe(Math.min(to, all.length));
      }),
    );
  });

  it("gives rows that lie inside as they are, without a copy", () => {
    const [row] = [{ position: 3, body: "abc" }];
    expect(cutEntries([row], { from: 0, to: 3 })[0]).toBe(row);
  });
});

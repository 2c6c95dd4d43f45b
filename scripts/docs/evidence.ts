import { basename } from "node:path";
import type { Over, Row, Section } from "../../test/behaviours/rows.ts";
import type { ListedTest } from "./listed-tests.ts";

/** What one test shows: a claim about a row, at one place. */
export interface Evidence {
  readonly row: Row;
  readonly over: Over;
  readonly claim: string;
}

/** Vitest puts what stands for `$name` in a title between quotes. */
const PLACE = /(?:^| > )over '?(SSE|WebSocket|HTTP)'? > /;

/**
 * Finds the row that each test is of.
 *
 * @throws {Error} naming each test that is of none: a slip in a title would otherwise hide a gap.
 */
export function toEvidence(sections: readonly Section[], tests: readonly ListedTest[]): readonly Evidence[] {
  const evidence: Evidence[] = [];
  const strays: string[] = [];
  for (const test of tests) {
    const found = evidenceOf(sections, test);
    if (typeof found === "string") strays.push(`${basename(test.file)}: "${test.name}" ${found}`);
    else evidence.push(found);
  }
  if (strays.length > 0) throw new Error(`tests that show no row of rows.ts:\n${strays.join("\n")}`);
  return evidence;
}

/** @returns what is wrong with the test, where it is of no row. */
function evidenceOf(sections: readonly Section[], { name, file }: ListedTest): Evidence | string {
  const section = sections.find((each) => isFileOf(each, basename(file)));
  if (section === undefined) return "is in a file of no section";
  const place = PLACE.exec(name);
  if (place === null) return 'is in no `describe("over SSE")`, "over WebSocket" or "over HTTP"';
  const over = place[1] as Over;
  const title = name.slice(place.index + place[0].length);
  const row = rowOf(section, title);
  if (row === undefined) return "begins with the name of no row";
  if (!row.over.includes(over)) return `is over ${over}, where its row does not apply`;
  return { row, over, claim: title.slice(row.name.length).replace(/^[:,] /, "") };
}

/** A section that outgrows one file goes on in `<section>-<part>.test.ts`. */
function isFileOf(section: Section, file: string): boolean {
  return file === `${section.file}.test.ts` || file.startsWith(`${section.file}-`);
}

/**
 * The longest name wins: `replayWindowMs: 0` is a row, and so is `replayWindowMs`. A name that is a claim already
 * may stand alone, or with a comma: "410: an id ahead of the tail, over a restart too".
 */
function rowOf(section: Section, title: string): Row | undefined {
  const rows = section.rows.filter(
    ({ name }) => title.startsWith(name) && /^(?:[:,] |$)/.test(title.slice(name.length)),
  );
  return rows.toSorted((a, b) => b.name.length - a.name.length)[0];
}

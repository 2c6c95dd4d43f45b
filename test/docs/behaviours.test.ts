import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { findGaps, toBehavioursPage } from "../../scripts/docs/behaviours-page.ts";
import { toEvidence } from "../../scripts/docs/evidence.ts";
import type { Evidence } from "../../scripts/docs/evidence.ts";
import { listTests } from "../../scripts/docs/listed-tests.ts";
import type { ListedTest } from "../../scripts/docs/listed-tests.ts";
import { SECTIONS } from "../behaviours/rows.ts";
import type { Section } from "../behaviours/rows.ts";

describe("docs/behaviours.md", () => {
  let evidence: readonly Evidence[];

  beforeAll(async () => {
    evidence = toEvidence(SECTIONS, await listTests("test/behaviours"));
  }, 120_000);

  it("is what `npm run docs` makes now", async () => {
    const page = await readFile(new URL("../../docs/behaviours.md", import.meta.url), "utf8");
    expect(page).toBe(toBehavioursPage(SECTIONS, evidence));
  });

  it("has no gap", () => {
    expect(findGaps(SECTIONS, evidence)).toEqual([]);
  });
});

describe("rows.ts", () => {
  it("names no row twice in a section", () => {
    for (const { rows } of SECTIONS) {
      const names = rows.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
  });
});

const LIFECYCLE: Section = {
  title: "Lifecycle",
  file: "lifecycle",
  rows: [
    { name: "replayWindowMs", over: ["SSE", "WebSocket"] },
    { name: "replayWindowMs: 0", over: ["SSE"] },
  ],
};

function listed(name: string, file = "lifecycle.test.ts"): ListedTest {
  return { name, file: `/test/behaviours/${file}` };
}

describe("a test of a behaviour", () => {
  it("is of the row with the longest name that its title begins with", () => {
    const evidence = toEvidence(
      [LIFECYCLE],
      [
        listed("over SSE > replayWindowMs: 0: replays nothing"),
        listed("lifecycle > over 'WebSocket' > replayWindowMs: hides what is older"),
        listed("over SSE > replayWindowMs, for one user"),
        listed("over SSE > replayWindowMs"),
      ],
    );
    expect(evidence.map(({ row, over, claim }) => [row.name, over, claim])).toEqual([
      ["replayWindowMs: 0", "SSE", "replays nothing"],
      ["replayWindowMs", "WebSocket", "hides what is older"],
      ["replayWindowMs", "SSE", "for one user"],
      ["replayWindowMs", "SSE", ""],
    ]);
  });

  it.each([
    [listed("over SSE > replayWindow: hides"), "begins with the name of no row"],
    [listed("over SSE > replayWindowMs hides"), "begins with the name of no row"],
    [listed("replayWindowMs: hides"), 'is in no `describe("over SSE")`'],
    [listed("over HTTP > replayWindowMs: hides"), "is over HTTP, where its row does not apply"],
    [listed("over SSE > replayWindowMs: hides", "lifecycles.test.ts"), "is in a file of no section"],
  ])("fails the page where it is of no row: %o", (test, problem) => {
    expect(() => toEvidence([LIFECYCLE], [test])).toThrow(problem);
  });
});

describe("the page", () => {
  it("shows each claim once, where it is shown, and a gap in bold", () => {
    const evidence = toEvidence(
      [LIFECYCLE],
      [
        listed("over SSE > replayWindowMs: hides what is older"),
        listed("over SSE > replayWindowMs: counts in `a|b` <ms>"),
      ],
    );
    const page = toBehavioursPage([LIFECYCLE], evidence);
    expect(page.slice(page.indexOf("| behaviour |"))).toBe(
      [
        "| behaviour | what the tests show | SSE | WebSocket |",
        "| --- | --- | --- | --- |",
        "| replayWindowMs | hides what is older | ✓ | **gap** |",
        "|  | counts in `a\\|b` &lt;ms> | ✓ |  |",
        "| replayWindowMs: 0 |  | **gap** | – |",
        "",
      ].join("\n"),
    );
    expect(page).toContain("| [Lifecycle](#lifecycle) | 2 | **1 of 2** | **0 of 1** | – |");
    expect(findGaps([LIFECYCLE], evidence)).toEqual([
      "lifecycle: `replayWindowMs` over WebSocket",
      "lifecycle: `replayWindowMs: 0` over SSE",
    ]);
  });
});

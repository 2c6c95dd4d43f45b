import { describe, expect, it } from "vitest";
import { Hub } from "#src/broker/hub.ts";
import { Pages } from "#src/broker/pages.ts";
import { Subscriber } from "#src/broker/subscriber.ts";
import { simulateHandover } from "../support/handover-simulation.ts";
import type { HandoverCode, LogFaults } from "../support/handover-simulation.ts";
import { loadWithFault } from "../support/planted-fault.ts";
import type { PlantedFault } from "../support/planted-fault.ts";
import { runSeeds } from "../support/seeded-runs.ts";
import type { Verdict } from "../support/seeded-runs.ts";

const SEEDS = 500;

/** What the runs must have come across; a simulation that never gets there proves nothing about it. */
const VISITED = [
  "commit during a read",
  "dropped under a follower",
  "gone",
  "lost announcement",
  "pruned",
  "slow subscriber",
];

describe("the hand-over from replay to live", () => {
  it(`delivers in order, without gap or repeat, in ${SEEDS} seeded runs`, async () => {
    const { violation, delivered, visits } = await runs({ Hub, Pages, Subscriber });
    expect(violation).toBeUndefined();
    expect(delivered).toBeGreaterThan(SEEDS * 100);
    expect([...visits].toSorted()).toEqual(VISITED);
  });
});

describe("the simulation of the hand-over", () => {
  const faults: readonly (readonly [what: string, fault: PlantedFault])[] = [
    [
      "a subscriber that is attached without a look at the floor",
      {
        file: "live-stream.ts",
        replace: "if (!this.#covers(reader.position)) return false;",
        by: "",
      },
    ],
    [
      "a subscriber that is live only after an `await`",
      {
        file: "live-stream.ts",
        replace: "if (isLive) this.#live.add(reader);",
        by: "if (isLive) setImmediate(() => this.#live.add(reader));",
      },
    ],
    [
      "a subscriber that is live before it has what the window holds",
      {
        file: "live-stream.ts",
        replace: "const canTakeMore = this.#deliverTo(reader);",
        by: "const canTakeMore = true;",
      },
    ],
    [
      "a batch that is announced twice and kept twice",
      { file: "live-stream.ts", replace: "|| entry.position <= this.#tail) continue;", by: ") continue;" },
    ],
    [
      "messages that leave in another order",
      {
        file: "encoding.ts",
        replace: "Buffer.concat(encoded)",
        by: "Buffer.concat(encoded.toReversed())",
      },
    ],
    [
      "one buffer for readers that stand at different places",
      { file: "live-stream.ts", replace: "shared?.from === from &&", by: "shared !== undefined &&" },
    ],
    [
      "a slow subscriber that is dropped silently",
      { file: "live-stream.ts", replace: "    reader.detached();\n", by: "" },
    ],
    [
      "a slow subscriber that is written to all the same",
      { file: "subscriber.ts", replace: "return !this.#isSlow();", by: "return true;" },
    ],
    [
      "a position that moves on where nothing was written",
      {
        file: "subscriber.ts",
        replace: "    this.#options.sink.write(bytes);\n    this.#position = position;",
        by: "    this.#position = position;\n    if (!this.#isSlow() && bytes.length < 400) this.#options.sink.write(bytes);",
      },
    ],
    [
      "a position that stays where it was after a page",
      {
        file: "pages.ts",
        replace: "end: offsetAt(position)",
        by: "end: offsetAt(position - 1)",
      },
    ],
    [
      "a lost announcement that is not noticed by the next",
      {
        file: "live-stream.ts",
        replace: "      this.skipTo({ incarnation, position: entry.start });\n",
        by: "",
      },
    ],
    [
      "a lost announcement that a repeat of the publish does not bring to light",
      {
        file: "hub.ts",
        replace: "      stream.skipTo({ incarnation, position: first + count });\n",
        by: "      if (!result.isRepeat) stream.skipTo({ incarnation, position: first + count });\n",
      },
    ],
    [
      "a new life that begins before the last messages of the old have left",
      {
        file: "live-stream.ts",
        replace: "    this.flush();\n    this.#incarnation",
        by: "    this.#incarnation",
      },
    ],
    [
      "a new life that counts on from the tail of the old",
      {
        file: "live-stream.ts",
        replace: "    this.#window.clear(0);\n    this.#tail = 0;\n",
        by: "    this.#window.clear(0);\n",
      },
    ],
    [
      "a drop that hides a lost announcement",
      {
        file: "live-stream.ts",
        replace: "    this.skipTo(end);\n",
        by: "",
      },
    ],
    [
      "a live end that is forgotten while somebody holds it",
      { file: "hub.ts", replace: "if (stream.holders > 0) return;", by: "" },
    ],
    [
      "a page that is given to who stands elsewhere",
      { file: "pages.ts", replace: "${encodeOffset(after)} ${path}", by: "${path}" },
    ],
    [
      "a page that is given to who reads another encoding",
      { file: "pages.ts", replace: "`${encoding.name} ", by: "`" },
    ],
    [
      "a subscriber that reads on where something was missed",
      { file: "subscriber.ts", replace: `if (page.kind === "gone") return "gone";`, by: "" },
    ],
  ];

  it.each(faults)("catches %s", async (_, fault) => {
    expect((await runs(await loadWithFault(fault))).violation).toBeDefined();
  });

  it("catches a log that announces before the commit can be read", async () => {
    const { violation } = await runs({ Hub, Pages, Subscriber }, { announcesBeforeCommit: true });
    expect(violation).toBeDefined();
  });
});

function runs(code: HandoverCode, faults?: LogFaults): Promise<Required<Verdict>> {
  return runSeeds(SEEDS, (seed) => simulateHandover(seed, code, faults));
}

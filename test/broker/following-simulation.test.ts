import { describe, expect, it } from "vitest";
import { createApply } from "#src/broker/apply.ts";
import { Hub } from "#src/broker/hub.ts";
import { Pages } from "#src/broker/pages.ts";
import { Reader } from "#src/broker/reader.ts";
import { Subscriber } from "#src/broker/subscriber.ts";
import { createStreamEvents } from "#src/transports/durable-streams/stream-events.ts";
import { simulateFollowing } from "../support/following-simulation.ts";
import type { FollowingCode } from "../support/following-simulation.ts";
import { loadFollowingWithFault } from "../support/planted-fault.ts";
import type { PlantedFault } from "../support/planted-fault.ts";
import { runSeeds } from "../support/seeded-runs.ts";
import type { Verdict } from "../support/seeded-runs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SEEDS = 300;
const REAL: FollowingCode = { createApply, Hub, Pages, Reader, Subscriber, createStreamEvents };

/** What the runs must have come across; a simulation that never gets there proves nothing about it. */
const VISITED = [
  "closed",
  "commit during a read",
  "deleted",
  "fork",
  "half a character at the tail",
  "lost announcement",
  "slow reader",
];

describe("following a stream of bytes, and a fork of one", () => {
  it(`brings every event once, in order, with no character torn, in ${SEEDS} seeded runs`, async () => {
    const { violation, delivered, visits } = await runs(REAL);
    expect(violation).toBeUndefined();
    expect(delivered).toBeGreaterThan(SEEDS * 20);
    expect([...visits].toSorted()).toEqual(VISITED);
  });
});

describe("the simulation of following", () => {
  const faults: readonly (readonly [what: string, fault: PlantedFault])[] = [
    [
      "half a character that is sent",
      { file: "stream-events.ts", replace: "batch.isEnd ? 0 : incompleteTailLength(bytes)", by: "0" },
    ],
    [
      "half a character that is held back when nothing will follow",
      { file: "stream-events.ts", replace: "batch.isEnd ? 0 : incomplete", by: "incomplete" },
    ],
    [
      "a character that came in three appends and lost the first",
      {
        file: "live-window.ts",
        replace: "cutEntries(entries, { from, to: floor }).map(bytesOf)",
        by: "entries.slice(-1).map(bytesOf)",
      },
    ],
    [
      "a window that forgets what its readers wait for the rest of",
      { file: "live-window.ts", replace: " || entry.position > kept", by: "" },
    ],
    [
      "a row that is sent whole to a reader inside it",
      {
        file: "live-window.ts",
        replace: "if (first !== undefined && first.start < from) entries[0] = cutStart(first, from);",
        by: "",
      },
    ],
    [
      "a page whose first row is not cut",
      { file: "entry.ts", replace: "Math.max(0, from - start)", by: "0" },
    ],
    [
      "a fork point that is told with the fork's own incarnation",
      {
        file: "stream-chain.ts",
        replace: "chain.find(({ to }) => position <= to)",
        by: "chain.find(({ to }) => position < to)",
      },
    ],
    [
      "a reader at a fork point that never comes live",
      {
        file: "live-stream.ts",
        replace: "incarnation < this.#incarnation && this.#inherited.length === 0",
        by: "incarnation < this.#incarnation",
      },
    ],
    [
      "a fork that is followed as if it inherited nothing",
      {
        file: "hub.ts",
        replace: "info === undefined || info.parent === null ? [] :",
        by: "info === undefined || info.parent !== null ? [] :",
      },
    ],
    [
      "a reader that comes live after the end and is never told",
      {
        file: "live-stream.ts",
        replace: " && this.#ending === undefined;\n    if (isLive)",
        by: ";\n    if (isLive)",
      },
    ],
    [
      "a close that hides what was committed untold before it",
      { file: "hub.ts", replace: "      stream.skipTo({ incarnation, position: tail.position });\n", by: "" },
    ],
    [
      "an end that is told before what came before it",
      {
        file: "live-stream.ts",
        replace: `return this.#ending === "closed" && isBehind ? undefined : this.#ending;`,
        by: "return this.#ending;",
      },
    ],
    [
      "a close that live readers do not hear of",
      { file: "hub.ts", replace: `      if (isClosed) stream.end("closed");\n`, by: "" },
    ],
    [
      "a close that was never announced, and is not looked for",
      { file: "hub.ts", replace: `if (info.isClosed) stream.end("closed");`, by: "" },
    ],
    [
      "a delete that live readers do not hear of",
      { file: "hub.ts", replace: `    stream.end("deleted");\n`, by: "" },
    ],
    [
      "a delete that ends the readers of the next stream at its path",
      { file: "hub.ts", replace: "if (result.incarnation >= stream.incarnation) this", by: "this" },
    ],
  ];

  it.each(faults)("catches %s", async (_, fault) => {
    expect((await runs(await loadFollowingWithFault(fault))).violation).toBeDefined();
  });
});

function runs(code: FollowingCode): Promise<Required<Verdict>> {
  const folder = temporaryFolder();
  return runSeeds(SEEDS, (seed) => simulateFollowing(folder, { seed, code }));
}

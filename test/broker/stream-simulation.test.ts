import { describe, expect, it } from "vitest";
import { createApply } from "#src/broker/apply.ts";
import { Reader } from "#src/broker/reader.ts";
import { loadStoreWithFault } from "../support/planted-fault.ts";
import type { PlantedFault } from "../support/planted-fault.ts";
import { runSeeds } from "../support/seeded-runs.ts";
import type { Verdict } from "../support/seeded-runs.ts";
import { simulateStreams } from "../support/stream-simulation.ts";
import type { StreamCode } from "../support/stream-simulation.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SEEDS = 150;

/** What the runs must have come across; a simulation that never gets there proves nothing about it. */
const VISITED = [
  "closed",
  "created false",
  "created true",
  "deleted",
  "epoch-start",
  "exists",
  "fork-offset",
  "fork-sub-offset",
  "gone",
  "media-type",
  "read a fork",
  "read a fork of a fork",
  "seq",
  "seq-gap",
  "soft-deleted",
  "source-soft-deleted",
  "source-unknown",
  "stale-epoch",
  "unchanged",
  "unknown",
  "written false",
  "written true",
];

describe("streams and their forks (PROTOCOL.md, sections 4.2 and 5)", () => {
  it(`are what a plain model says of them, in ${SEEDS} seeded runs`, async () => {
    const { violation, visits } = await runs({ createApply, Reader });
    expect(violation).toBeUndefined();
    expect([...visits].toSorted()).toEqual(VISITED);
  });
});

describe("the simulation of streams", () => {
  const faults: readonly (readonly [what: string, fault: PlantedFault])[] = [
    [
      "a fork that reads on in its source",
      { file: "stream-chain.ts", replace: "      to = at.forkPosition;\n", by: "" },
    ],
    [
      "a fork of what its source inherited that reads the source's own",
      {
        file: "stream-chain.ts",
        replace: "if (at !== undefined && at.forkPosition > to) at = { ...at, forkPosition: to };",
        by: "",
      },
    ],
    [
      "a fork point with the fork's own incarnation",
      { file: "stream-chain.ts", replace: "position <= to) ??", by: "position < to) ??" },
    ],
    [
      "an offset that is taken from any stream",
      { file: "stream-chain.ts", replace: "at.incarnation === offset.incarnation && ", by: "" },
    ],
    [
      "an offset ahead of the tail",
      { file: "stream-chain.ts", replace: " && offset.position <= (chain.at(-1)?.to ?? 0)", by: "" },
    ],
    [
      "a row that is not cut where the reader stands",
      { file: "entry.ts", replace: "Math.max(0, from - start)", by: "0" },
    ],
    [
      "a row that is not cut where the fork branches off",
      {
        file: "entry.ts",
        replace: "const end = Math.min(entry.position, to);",
        by: "const end = entry.position;",
      },
    ],
    [
      "a source that goes while forks read from it",
      {
        file: "apply-delete.ts",
        replace: "if (streams.hasForks(stream.incarnation)) streams.softDelete(stream.id);\n    else ",
        by: "",
      },
    ],
    [
      "a deleted source that stays when its last fork is gone",
      {
        file: "apply-delete.ts",
        replace: "else removeWithSources(stream);",
        by: "else streams.remove(stream);",
      },
    ],
    [
      "a source that goes with its last fork, though nobody deleted it",
      { file: "apply-delete.ts", replace: "source?.isDeleted === 1 && ", by: "source !== undefined && " },
    ],
    [
      "an expiry that ends a stream that was used since",
      {
        file: "apply-delete.ts",
        replace: "if (touchedAt !== undefined && stream.touchedAt > touchedAt)",
        by: "if (touchedAt === -1)",
      },
    ],
    [
      "an expiry that ends the next stream at its path",
      { file: "apply-delete.ts", replace: "stream?.incarnation !== incarnation", by: "stream === undefined" },
    ],
    [
      "messages that stay when their stream is gone",
      { file: "stream-table.ts", replace: "      sql.endLife.run(incarnation);\n", by: "" },
    ],
    [
      "producers that outlive their stream",
      { file: "stream-table.ts", replace: "      sql.removeProducers.run(incarnation);\n", by: "" },
    ],
    [
      "bytes that are counted as one",
      { file: "stream-table.ts", replace: "position += isJson ? 1 : size;", by: "position += 1;" },
    ],
    [
      "a sub-offset that reaches beyond the place where the source branches off",
      { file: "apply-create.ts", replace: "Math.min(end, segment.to)", by: "end" },
    ],
    [
      "a fork that does not take over its source's TTL",
      { file: "apply-create.ts", replace: "ttlMs: source?.ttlMs ?? null,", by: "ttlMs: null," },
    ],
    [
      "a producer that is judged after the sequence",
      {
        file: "apply-write.ts",
        replace: `if (verdict.kind === "duplicate") return "repeat";`,
        by: `if (verdict.kind === "duplicate" && seq === undefined) return "repeat";`,
      },
    ],
    [
      "a closing append that is not known again",
      {
        file: "apply-write.ts",
        replace: "closedBy: closes ? stampText(producer) :",
        by: "closedBy: closes ? null :",
      },
    ],
    [
      "an epoch that may begin anywhere",
      {
        file: "judge-producer.ts",
        replace: `{ kind: "epoch-start" };\n  if (seq`,
        by: `{ kind: "new" };\n  if (seq`,
      },
    ],
  ];

  it.each(faults)("catches %s", async (_, fault) => {
    expect((await runs(await loadStoreWithFault(fault))).violation).toBeDefined();
  });
});

function runs(code: StreamCode): Promise<Required<Verdict>> {
  const folder = temporaryFolder();
  return runSeeds(SEEDS, (seed) => simulateStreams(folder, { seed, code }));
}

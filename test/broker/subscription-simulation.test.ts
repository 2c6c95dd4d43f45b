import { describe, expect, it } from "vitest";
import { createApply } from "#src/broker/apply.ts";
import { bundleWithFault } from "../support/planted-fault.ts";
import type { PlantedFault } from "../support/planted-fault.ts";
import { simulateSubscriptions } from "../support/subscription-simulation.ts";
import type { ApplyCode } from "../support/subscription-simulation.ts";

/** `CHAOS=1` looks long enough to be sure; every run looks long enough to notice a slip. */
const RUNS = process.env["CHAOS"] ? 200 : 8;
const STEPS = 1_000;
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** How often a fault may get away before it has to show. */
const FAULTY_RUNS = 100;

function firstViolation(code: ApplyCode, runs: number): string | undefined {
  for (let run = 0; run < runs; run += 1) {
    const violation = simulateSubscriptions(code, { seed: seed + run, steps: STEPS });
    if (violation !== undefined) return `SEED=${seed + run}: ${violation}`;
  }
  return undefined;
}

/** Slips that must not pass. */
const FAULTS: Readonly<Record<string, PlantedFault>> = {
  "the token's generation is not looked at": {
    file: "apply-lease.ts",
    replace: `      hold.tokenGeneration === subscription.generation &&
      hold.generation === subscription.generation &&
      hold.wakeId === wakeIdOf(subscription);`,
    by: "true;",
  },
  "a lease that is over still counts": {
    file: "apply-lease.ts",
    replace: `subscription.state === "leased" &&`,
    by: "",
  },
  "a subscription that was made anew takes the tokens of the earlier one": {
    file: "apply-lease.ts",
    replace: `    if (subscription.incarnation !== hold.subscription) return { reason: "token" };
    const isHeld =
      subscription.state === "leased" &&
      hold.tokenGeneration === subscription.generation &&
      hold.generation === subscription.generation &&
      hold.wakeId === wakeIdOf(subscription);`,
    by: `    const isHeld = subscription.state === "leased" && hold.generation === subscription.generation;`,
  },
  "a cursor may go back": {
    file: "apply-lease.ts",
    replace: "return position < (acked ?? link.acked) ? refuse(",
    by: "return position < 0 ? refuse(",
  },
  "a claim begins no generation": {
    file: "apply-lease.ts",
    replace: `state === "woken" ? subscription.generation : subscription.generation + 1`,
    by: "subscription.generation",
  },
  "two may claim": {
    file: "apply-lease.ts",
    replace: `if (state === "leased")`,
    by: `if (holder === "nobody")`,
  },
  "a webhook that comes late acknowledges for the next wake": {
    file: "apply-wake.ts",
    replace: `record?.state === "leased" && record.generation === generation`,
    by: `record?.state === "leased"`,
  },
  "a webhook acknowledges a stream that came anew": {
    file: "apply-wake.ts",
    replace: "link?.incarnation === incarnation && position > link.acked",
    by: "link !== undefined && position > link.acked",
  },
  "an initial body is not pending": {
    file: "apply-create.ts",
    replace: "      links.noteAppended(path);\n",
    by: "",
  },
  "an append is not pending": {
    file: "apply-write.ts",
    replace: "if (bodies.length > 0) links.noteAppended(operation.path);",
    by: "",
  },
  "a new stream is linked at its tail": {
    file: "apply-create.ts",
    replace: `    links.noteCreated(stream);
    if (bodies.length > 0) {
      streams.append(stream, bodies, time);
      links.noteAppended(path);
    }`,
    by: `    if (bodies.length > 0) streams.append(stream, bodies, time);
    links.noteCreated(present(path));`,
  },
  "a deleted stream keeps its links": {
    file: "apply-delete.ts",
    replace: "    links.noteDeleted(path);\n",
    by: "",
  },
  "an acknowledgement leaves nothing pending": {
    file: "subscription-links.ts",
    replace: "is_pending = coalesce((SELECT tail FROM streams WHERE path = ? AND is_deleted = 0), 0) > ?",
    by: "is_pending = ? = ?",
  },
  "a wake forgets the streams that were there before": {
    file: "apply-subscription.ts",
    replace: "if (pattern !== undefined) links.backfill(subscription, pattern);",
    by: "",
  },
};

describe("subscriptions under a thousand random steps (6.2, 7.3)", () => {
  it(
    `fence, never lose or repeat a cursor, and replay to the same rows (SEED=${seed})`,
    { timeout: 120_000 + RUNS * 2_000 },
    () => {
      expect(firstViolation({ createApply }, RUNS)).toBeUndefined();
    },
  );

  it.each(Object.entries(FAULTS))("are caught when %s", { timeout: 120_000 }, async (_what, fault) => {
    const code = (await bundleWithFault(`export { createApply } from "./apply.ts";`, fault)) as ApplyCode;
    expect(firstViolation(code, FAULTY_RUNS)).toBeDefined();
  });
});

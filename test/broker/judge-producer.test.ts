import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeProducer, refusalOf } from "#src/broker/judge-producer.ts";
import type { ProducerState } from "#src/broker/judge-producer.ts";

const at = (epoch: number, seq: number): ProducerState => ({ epoch, seq });

describe("judgeProducer (PROTOCOL.md, section 5.2.1, Validation Logic)", () => {
  it.each([
    ["a first append", undefined, at(0, 0), { kind: "new" }],
    ["a first append of a later epoch", undefined, at(7, 0), { kind: "new" }],
    ["a first append that is not the first", undefined, at(0, 1), { kind: "gap", expectedSeq: 0 }],
    ["the next", at(1, 4), at(1, 5), { kind: "new" }],
    ["the highest again", at(1, 4), at(1, 4), { kind: "duplicate" }],
    ["an earlier one again", at(1, 4), at(1, 0), { kind: "duplicate" }],
    ["one too far", at(1, 4), at(1, 6), { kind: "gap", expectedSeq: 5 }],
    ["a new epoch", at(1, 4), at(2, 0), { kind: "new" }],
    ["a new epoch that does not begin with 0", at(1, 4), at(2, 5), { kind: "epoch-start" }],
    ["an old epoch, even with a number that would be next", at(1, 4), at(0, 5), { kind: "stale", epoch: 1 }],
    ["an old epoch that begins", at(1, 4), at(0, 0), { kind: "stale", epoch: 1 }],
  ] as const)("%s", (_, state, { epoch, seq }, verdict) => {
    expect(judgeProducer(state, { id: "p", epoch, seq })).toEqual(verdict);
  });

  it("takes every append of a session once, in order, however they are repeated and mixed up", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(5))), (sent) => {
        let state: ProducerState | undefined;
        const taken: string[] = [];
        for (const [epoch, seq] of sent) {
          const verdict = judgeProducer(state, { id: "p", epoch, seq });
          if (verdict.kind !== "new") {
            expect(refusalOf(verdict) === undefined).toBe(verdict.kind === "duplicate");
            continue;
          }
          if (state !== undefined)
            expect([epoch - state.epoch, seq]).toEqual(
              epoch === state.epoch ? [0, state.seq + 1] : [epoch - state.epoch, 0],
            );
          state = { epoch, seq };
          taken.push(`${epoch}.${seq}`);
        }
        expect(new Set(taken).size).toBe(taken.length);
      }),
    );
  });
});

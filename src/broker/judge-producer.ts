import type { ProducerStamp, StreamRefusal } from "./stream-operation.ts";

/** What is remembered of an idempotent producer. */
export interface ProducerState {
  readonly epoch: number;
  /** The highest sequence number that was accepted in this epoch. */
  readonly seq: number;
}

/** What an append of a producer is, by what the producer has sent before. */
export type ProducerVerdict =
  | { readonly kind: "new" }
  /** It was accepted before; nothing is stored again. */
  | { readonly kind: "duplicate" }
  /** A later session of the same producer has taken over. */
  | { readonly kind: "stale"; readonly epoch: number }
  /** A new session must count from 0. */
  | { readonly kind: "epoch-start" }
  | { readonly kind: "gap"; readonly expectedSeq: number };

/** @see PROTOCOL.md, section 5.2.1, Validation Logic */
export function judgeProducer(
  state: ProducerState | undefined,
  { epoch, seq }: ProducerStamp,
): ProducerVerdict {
  if (state === undefined) return seq === 0 ? { kind: "new" } : { kind: "gap", expectedSeq: 0 };
  if (epoch < state.epoch) return { kind: "stale", epoch: state.epoch };
  if (epoch > state.epoch) return seq === 0 ? { kind: "new" } : { kind: "epoch-start" };
  if (seq <= state.seq) return { kind: "duplicate" };
  return seq === state.seq + 1 ? { kind: "new" } : { kind: "gap", expectedSeq: state.seq + 1 };
}

/** Why an append is refused for what its producer or its writer has sent before; `undefined` if it is not. */
export function refusalOf(verdict: ProducerVerdict): StreamRefusal | undefined {
  switch (verdict.kind) {
    case "stale":
      return { reason: "stale-epoch", epoch: verdict.epoch };
    case "epoch-start":
      return { reason: "epoch-start" };
    case "gap":
      return { reason: "seq-gap", expectedSeq: verdict.expectedSeq };
    case "new":
    case "duplicate":
      return undefined;
    default:
      return verdict satisfies never;
  }
}

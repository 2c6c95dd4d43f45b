import type { StoreKind, TrustState, TrustStore } from "../../certs/trust/trust-store.ts";
import type { ChanctlError } from "../../shared/errors.ts";

/** What is told of one store: a row for a person, a line of JSON for a program. */
export interface StoreRow {
  readonly store: string;
  readonly kind: StoreKind;
  readonly place: string;
  readonly state: TrustState["kind"];
  /** The program that accepted a handshake, or the chain. */
  readonly verifiedBy?: string;
  readonly reason?: string;
  /** The command to run next. */
  readonly fix?: string;
  /** What to do now: "restart Firefox". */
  readonly note?: string;
  /** Other CAs of chanctl that lie there. */
  readonly others?: readonly string[];
  /** The CAs that `--uninstall` took out, by name. */
  readonly removed?: readonly string[];
}

/** The row of a store in a state. */
export function toRow({ name, kind, place }: TrustStore, { kind: state, ...details }: TrustState): StoreRow {
  const { from, ...rest } = { from: undefined, ...details };
  const reason = from === undefined ? {} : { reason: `reads ${from}` };
  return { store: name, kind, place, state, ...rest, ...reason };
}

/** The row of a store whose tool failed. */
export function toFailedRow(
  store: TrustStore,
  { state, error }: { state: TrustState; error: ChanctlError },
): StoreRow {
  const fix = error.hint === undefined ? {} : { fix: error.hint };
  return { ...toRow(store, state), reason: error.message, ...fix };
}

/** Whether a store that has all it needs trusts the CA. */
export function isSettled({ state }: Pick<StoreRow, "state">): boolean {
  return state === "trusted" || state === "inherited" || state === "unused";
}

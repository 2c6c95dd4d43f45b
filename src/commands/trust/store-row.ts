import type { StoredAuthority, StoreKind, TrustState, TrustStore } from "../../certs/trust/trust-store.ts";

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
  /** CAs of chanctl that lie there and are not of this config folder. */
  readonly others?: readonly Pick<StoredAuthority, "name" | "sha1">[];
  /** The CAs that `--uninstall` took out, by name. */
  readonly removed?: readonly string[];
}

/** The row of a store in a state. */
export function toRow({ name, kind, place }: TrustStore, { kind: state, ...details }: TrustState): StoreRow {
  const { from, ...rest } = { from: undefined, ...details };
  const reason = from === undefined ? {} : { reason: `reads ${from}` };
  return { store: name, kind, place, state, ...rest, ...reason };
}

/** A row with the CAs of others that its store holds, and, after the fix that it has, what takes them out. */
export function withOthers(row: StoreRow, held: readonly StoredAuthority[]): StoreRow {
  const others = held.filter(({ isOwn }) => !isOwn).map(({ name, sha1 }) => ({ name, sha1 }));
  if (others.length === 0) return row;
  const removal = `chanctl trust --uninstall --all --store ${row.kind}    takes out every CA of chanctl`;
  return { ...row, others, fix: row.fix === undefined ? removal : `${row.fix}\n${removal}` };
}

/** Whether a store that has all it needs trusts the CA. */
export function isSettled({ state }: Pick<StoreRow, "state">): boolean {
  return state === "trusted" || state === "inherited" || state === "unused";
}

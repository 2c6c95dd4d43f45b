import type { StoreChange, StoredAuthority, TrustStore } from "../../certs/trust/trust-store.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { isSettled, type StoreRow, toFailedRow, toRow, withOthers } from "./store-row.ts";

/** Whether a line may run as root. `unasked`: nobody could be asked. */
export type Permission = "yes" | "no" | "unasked";

interface ChangeOptions {
  /** Asks whether this line may run as root. */
  readonly mayRunAsRoot: (line: string, store: TrustStore) => Promise<Permission>;
}

interface RemovalOptions extends ChangeOptions {
  /** Which CAs are taken out, of those that a store holds. */
  readonly isTaken: (authority: StoredAuthority) => boolean;
}

/** A store after a change, or after the attempt. */
export interface ChangedStore {
  readonly row: StoreRow;
  /** It is not as was asked for. */
  readonly isOpen: boolean;
  /** An answer was needed, and there was nobody to give it. */
  readonly isUnasked: boolean;
}

/** Adds the CA to a store that can take it and does not trust it yet. */
export async function installInto(store: TrustStore, { mayRunAsRoot }: ChangeOptions): Promise<ChangedStore> {
  const state = await store.status({ verify: true });
  if (state.kind !== "untrusted") {
    const row = toRow(store, state);
    return { row, isOpen: !isSettled(row), isUnasked: false };
  }
  const line = store.asRoot?.install;
  const { row, isUnasked } = await attempt(store, { line, mayRunAsRoot, change: () => store.install() });
  return { row, isOpen: !isSettled(row), isUnasked };
}

/** Takes CAs out of a store. */
export async function uninstallFrom(
  store: TrustStore,
  { mayRunAsRoot, isTaken }: RemovalOptions,
): Promise<ChangedStore> {
  const before = await store.held();
  const taken = before.filter(isTaken);
  if (taken.length === 0) {
    const row = withoutNeed(toRow(store, await store.status({ verify: false })));
    const tidied = { ...row, ...(await store.tidy?.()) };
    return { row: withOthers(tidied, before), isOpen: row.state === "trusted", isUnasked: false };
  }
  const line = await store.asRoot?.uninstall(taken);
  const change = () => store.uninstall(taken);
  const { row, isUnasked, isFailed } = await attempt(store, { line, mayRunAsRoot, change });
  const after = await store.held();
  const removed = taken.filter(({ sha1 }) => !after.some((left) => left.sha1 === sha1));
  const isOpen = isFailed || after.some(isTaken) || row.state === "trusted";
  const described = {
    ...(isOpen ? row : withoutNeed(row)),
    ...(removed.length === 0 ? {} : { removed: removed.map(({ name }) => name) }),
    ...(await store.tidy?.()),
  };
  return { row: withOthers(described, after), isOpen, isUnasked };
}

/** A tool or a Firefox's first start that is missing matters to nobody who has nothing left to take out. */
function withoutNeed(row: StoreRow): StoreRow {
  if (row.state === "unused") {
    const { note: _needless, ...rest } = row;
    return rest;
  }
  if (row.state !== "blocked" && row.state !== "untrusted") return row;
  const { fix: _needless, reason: _settled, ...rest } = row;
  return { ...rest, state: "untrusted" };
}

interface Attempt extends ChangeOptions {
  /** What would run as root, if anything does. */
  readonly line: string | undefined;
  readonly change: () => Promise<StoreChange>;
}

interface Attempted extends Pick<ChangedStore, "row" | "isUnasked"> {
  /** The store's tool failed. */
  readonly isFailed: boolean;
}

async function attempt(store: TrustStore, { line, mayRunAsRoot, change }: Attempt): Promise<Attempted> {
  const permission = line === undefined ? "yes" : await mayRunAsRoot(line, store);
  if (permission !== "yes") {
    const row = toRow(store, await store.status({ verify: false }));
    return {
      row: { ...row, ...(line === undefined ? {} : { fix: line }) },
      isUnasked: permission === "unasked",
      isFailed: false,
    };
  }
  try {
    const changed = await change();
    const row = { ...toRow(store, await store.status({ verify: true })), ...changed };
    return { row, isUnasked: false, isFailed: false };
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    const row = toFailedRow(store, { state: await store.status({ verify: false }), error });
    return {
      row: line === undefined ? row : { ...row, fix: line },
      isUnasked: false,
      isFailed: true,
    };
  }
}

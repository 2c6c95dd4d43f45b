import type { StoreChange, StoredAuthority, TrustStore } from "../../certs/trust/trust-store.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { type StoreRow, toFailedRow, toRow } from "./store-row.ts";

/** Whether a line may run as root. `unasked`: nobody could be asked. */
export type Permission = "yes" | "no" | "unasked";

interface ChangeOptions {
  /** Asks whether this line may run as root. */
  readonly mayRunAsRoot: (line: string, store: TrustStore) => Promise<Permission>;
}

/** A store after a change, or after the attempt. */
export interface ChangedStore {
  readonly row: StoreRow;
  /** An answer was needed, and there was nobody to give it. */
  readonly isUnasked: boolean;
}

/** Adds the CA to a store that can take it and does not trust it yet. */
export async function installInto(store: TrustStore, { mayRunAsRoot }: ChangeOptions): Promise<ChangedStore> {
  const state = await store.status({ verify: true });
  if (state.kind !== "untrusted") return { row: toRow(store, state), isUnasked: false };
  const line = store.asRoot?.install;
  return attempt(store, { line, mayRunAsRoot, change: () => store.install() });
}

/** Takes the CA out of a store. */
export async function uninstallFrom(
  store: TrustStore,
  { mayRunAsRoot }: ChangeOptions,
): Promise<ChangedStore> {
  const state = await store.status({ verify: false });
  const before = await store.held();
  const isHolding = state.kind === "trusted" || before.length > 0;
  const line = isHolding ? await store.asRoot?.uninstall() : undefined;
  if (store.asRoot !== undefined && line === undefined) return { row: toRow(store, state), isUnasked: false };
  const attempted = await attempt(store, { line, mayRunAsRoot, change: () => store.uninstall() });
  const { isUnasked } = attempted;
  const row = { ...attempted.row, ...(await describeRemoval(store, before)) };
  if (row.state !== "blocked") return { row, isUnasked };
  const { fix: _needless, reason: _missing, ...rest } = row; // a tool that is missing matters to nobody any more
  return { row: { ...rest, state: "untrusted" }, isUnasked };
}

/** What is gone since, and what is left of others: a store that still holds one is not done. */
async function describeRemoval(
  store: TrustStore,
  before: readonly StoredAuthority[],
): Promise<Pick<StoreRow, "removed" | "others">> {
  if (before.length === 0) return {};
  const after = await store.held();
  const removed = before
    .filter(({ name }) => !after.some((left) => left.name === name))
    .map(({ name }) => name);
  const others = after.filter(({ isOwn }) => !isOwn).map(({ name }) => name);
  return { ...(removed.length === 0 ? {} : { removed }), ...(others.length === 0 ? {} : { others }) };
}

interface Attempt extends ChangeOptions {
  /** What would run as root, if anything does. */
  readonly line: string | undefined;
  readonly change: () => Promise<StoreChange>;
}

async function attempt(store: TrustStore, { line, mayRunAsRoot, change }: Attempt): Promise<ChangedStore> {
  const permission = line === undefined ? "yes" : await mayRunAsRoot(line, store);
  if (permission !== "yes") {
    const row = toRow(store, await store.status({ verify: false }));
    return {
      row: { ...row, ...(line === undefined ? {} : { fix: line }) },
      isUnasked: permission === "unasked",
    };
  }
  try {
    const changed = await change();
    return { row: { ...toRow(store, await store.status({ verify: true })), ...changed }, isUnasked: false };
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    const row = toFailedRow(store, { state: await store.status({ verify: false }), error });
    return {
      row: line === undefined ? row : { ...row, fix: line },
      isUnasked: false,
    };
  }
}

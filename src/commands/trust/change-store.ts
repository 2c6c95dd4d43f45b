import type { StoreChange, StoredAuthority, TrustStore } from "../../certs/trust/trust-store.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { isSettled, type StoreRow, toRow, withOthers } from "./store-row.ts";

/** Whether a line may run as root. `unasked`: nobody could be asked; `cancelled`: everything is to stop (Ctrl-C). */
export type Permission = "yes" | "no" | "unasked" | "cancelled";

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
  /** What was said to the line that runs as root; `yes` where none had to. */
  readonly permission: Permission;
}

/** Adds the CA to a store that can take it and does not trust it yet. */
export async function installInto(store: TrustStore, { mayRunAsRoot }: ChangeOptions): Promise<ChangedStore> {
  const before = toRow(store, await store.status({ verify: true }));
  const isTried = before.state === "untrusted" || before.state === "unreadable"; // its tool may know more
  if (!isTried) return { row: before, isOpen: !isSettled(before), permission: "yes" };
  const line = store.asRoot?.install;
  const attempt = await attemptChange(store, { line, mayRunAsRoot, change: () => store.install() });
  const after = toRow(store, await store.status({ verify: true }));
  const isOpen = !isSettled(after);
  const unsaid = "what adds it ended well, but the CA is not there";
  const row = { ...after, ...(isOpen ? whyOpen(attempt, after.reason ?? unsaid) : noteOf(attempt)) };
  return { row, isOpen, permission: attempt.permission };
}

/** Takes CAs out of a store. */
export async function uninstallFrom(
  store: TrustStore,
  { mayRunAsRoot, isTaken }: RemovalOptions,
): Promise<ChangedStore> {
  const before = await store.held();
  const taken = before.filter(isTaken);
  if (taken.length === 0) {
    const row = toRow(store, await store.status({ verify: false }));
    const tidied = { ...withoutNeed(row), ...(await store.tidy?.()) };
    return { row: withOthers(tidied, before), isOpen: mayTrust(row), permission: "yes" };
  }
  const line = await store.asRoot?.uninstall(taken);
  const attempt = await attemptChange(store, { line, mayRunAsRoot, change: () => store.uninstall(taken) });
  const row = toRow(store, await store.status({ verify: true }));
  const after = await store.held();
  const removed = taken.filter(({ sha1 }) => !after.some((left) => left.sha1 === sha1));
  const isOpen = after.some(isTaken) || mayTrust(row); // whoever took it out: another run may have
  const described = {
    ...(isOpen
      ? { ...row, ...whyOpen(attempt, "what takes it out ended well, but the CA is still there") }
      : { ...withoutNeed(row), ...noteOf(attempt) }),
    ...(removed.length === 0 ? {} : { removed: removed.map(({ name }) => name) }),
    ...(await store.tidy?.()),
  };
  return { row: withOthers(described, after), isOpen, permission: attempt.permission };
}

function mayTrust({ state }: StoreRow): boolean {
  return state === "trusted" || state === "unreadable";
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

interface AttemptOptions extends ChangeOptions {
  /** What would run as root, if anything does. */
  readonly line: string | undefined;
  readonly change: () => Promise<StoreChange>;
}

/** What came of a change, by what was said to it and by its tool; what the store says is another matter. */
interface Attempt {
  readonly permission: Permission;
  readonly line: string | undefined;
  readonly change?: StoreChange;
  readonly failure?: ChanctlError;
}

async function attemptChange(
  store: TrustStore,
  { line, mayRunAsRoot, change }: AttemptOptions,
): Promise<Attempt> {
  const permission = line === undefined ? "yes" : await mayRunAsRoot(line, store);
  if (permission !== "yes") return { permission, line };
  try {
    return { permission, line, change: await change() };
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    return { permission, line, failure: error };
  }
}

/** Why a store is not as was asked for, and the line to run by hand. */
function whyOpen({ line, change, failure }: Attempt, unsaid: string): Pick<StoreRow, "reason" | "fix"> {
  if (failure !== undefined) {
    const fix = failure.hint ?? line;
    return { reason: failure.message, ...(fix === undefined ? {} : { fix }) };
  }
  if (change === undefined) return line === undefined ? {} : { fix: line };
  const { command } = change;
  return {
    reason: unsaid,
    ...(!command ? {} : { fix: `${command}    shows all that it says` }),
  };
}

function noteOf({ change }: Attempt): Pick<StoreRow, "note"> {
  return change?.note === undefined ? {} : { note: change.note };
}

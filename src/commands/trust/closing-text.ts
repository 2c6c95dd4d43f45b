import type { StoreKind } from "../../certs/trust/trust-store.ts";
import type { ChangedStore } from "./change-store.ts";

type Kinds = readonly StoreKind[] | undefined;

interface ClosingOptions {
  /** Which kinds were asked for. `undefined`: all */
  readonly kinds: Kinds;
  readonly isUninstalling: boolean;
  readonly hasCa: boolean;
}

/** The last line of `trust`: what is so now, of the stores that were looked at and of no others. */
export function closingText(changed: readonly ChangedStore[], options: ClosingOptions): string {
  if (changed.length === 0) return "nothing was looked at";
  const unseen = (options.kinds ?? []).filter((kind) => !changed.some(({ row }) => row.kind === kind));
  const seen = options.kinds?.filter((kind) => !unseen.includes(kind));
  const verdict = verdictText(changed, { ...options, kinds: seen });
  return [verdict, ...unseen.map((kind) => `${kind} was not looked at: ${absenceOf(kind)}`)].join("\n");
}

function verdictText(
  changed: readonly ChangedStore[],
  { kinds, isUninstalling, hasCa }: ClosingOptions,
): string {
  const left = changed.filter(({ isOpen }) => isOpen).length;
  if (isUninstalling && left === 0) {
    const isAny = changed.some(({ row }) => row.removed !== undefined);
    const isOthers = changed.some(({ row }) => row.others !== undefined);
    if (isOthers)
      return `${hasCa ? `${noStoreOf(kinds)} holds your CA` : "you have no CA"}; others are left: see fix`;
    return !hasCa && !isAny ? "nothing to take out" : `${noStoreOf(kinds)} holds a CA of chanctl`;
  }
  if (!hasCa && !isUninstalling) return "chanctl trust     makes the CA and adds it to each";
  const stores = left === 1 ? "1 store" : `${left} stores`;
  if (left > 0) return isUninstalling ? `${stores} left: see fix` : `${stores} to go: see fix`;
  const isTrusted = changed.some(({ row }) => row.state === "trusted" || row.state === "inherited");
  if (!isTrusted) return "no store could take the CA yet";
  return `${whichStore(changed, kinds)} trusts the CA     undo: chanctl trust --uninstall`;
}

/** Why there is no row. */
export function noneText(kinds: Kinds): string {
  if (kinds === undefined) return "no trust store was found on this machine";
  const java = kinds.includes("java") ? " (java: that of JAVA_HOME, which is not set)" : "";
  return `no store of ${joinWords(kinds, "or")} was found on this machine${java}`;
}

function absenceOf(kind: StoreKind): string {
  return kind === "java" ? "JAVA_HOME is not set" : "none was found on this machine";
}

function whichStore(changed: readonly ChangedStore[], kinds: Kinds): string {
  const [only, ...more] = changed;
  if (only !== undefined && more.length === 0) return `the ${only.row.store} store`;
  return kinds === undefined ? "every store" : `every store of ${joinWords(kinds, "and")}`;
}

function noStoreOf(kinds: Kinds): string {
  return kinds === undefined ? "none of these stores" : `no store of ${joinWords(kinds, "or")}`;
}

function joinWords(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1) ?? ""}`;
}

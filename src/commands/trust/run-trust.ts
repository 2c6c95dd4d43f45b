import { STORE_KINDS, type StoreKind, type TrustStore } from "../../certs/trust/trust-store.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { oneOf } from "../../shared/one-of.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { type ChangedStore, installInto, uninstallFrom } from "./change-store.ts";
import { permissionAsker } from "./permission.ts";
import { rowText, shortPath } from "./row-text.ts";
import { isSettled, type StoreRow, toRow } from "./store-row.ts";
import { findTrust, type TrustContext } from "./trust-context.ts";

/** The flags of `trust`, as commander read them. */
export interface TrustFlags {
  readonly uninstall?: true;
  readonly status?: true;
  /** Kinds of stores, with commas. */
  readonly store?: string;
  readonly yes?: true;
  readonly json?: true;
}

const EXIT_NO_TERMINAL = 4;

/**
 * Adds the CA to each store, takes it out, or only looks; prints one row a store as it goes.
 *
 * @throws {ChanctlError} `usage`; `certificate_invalid` where there is no CA that could be added.
 */
export async function runTrust(flags: TrustFlags, io: Io): Promise<void> {
  if (flags.uninstall && flags.status) {
    throw new ChanctlError("usage", "`--uninstall` and `--status` exclude each other", {
      hint: "give one of them",
    });
  }
  const isInstalling = !flags.uninstall && !flags.status;
  const context = await findTrust({ kinds: parseKinds(flags.store), isMaking: isInstalling }, io);
  const show = rowPrinter(flags, io);
  if (io.env["SUDO_USER"] && process.getuid?.() === 0) io.stderr(`${sudoNotice(io.env["SUDO_USER"])}\n`);
  if (!flags.json) io.stdout(headText(context, io));
  const mayRunAsRoot = permissionAsker({ isYes: flags.yes === true }, io);
  const changed: ChangedStore[] = [];
  // One after the other: some ask for a password, and two updates of one store at once fail.
  for (const store of context.stores) {
    const result = flags.status
      ? { row: await statusRow(store), isUnasked: false }
      : await (flags.uninstall ? uninstallFrom : installInto)(store, { mayRunAsRoot });
    changed.push(result);
    show(result.row);
  }
  if (!flags.json) io.stdout(`\n${closingText(changed, { flags, hasCa: context.ca !== undefined })}\n`);
  io.setExitCode(exitCodeOf(changed, flags));
}

async function statusRow(store: TrustStore): Promise<StoreRow> {
  const [state, others] = await Promise.all([store.status({ verify: true }), store.strangers()]);
  const row = toRow(store, state);
  const fix =
    row.state === "untrusted" && row.fix === undefined ? { fix: `chanctl trust --store ${store.kind}` } : {};
  return { ...row, ...fix, ...(others.length === 0 ? {} : { others }) };
}

/** Whoever types sudo before it out of habit trusts a CA that their own `chanctl dev` does not use. */
function sudoNotice(user: string): string {
  return `this is about the CA and the browsers of root, not of ${user}: leave sudo out, what needs root is asked for`;
}

function rowPrinter(flags: TrustFlags, io: Io): (row: StoreRow) => void {
  if (flags.json) return (row) => io.stdout(`${JSON.stringify(row)}\n`);
  const colors = palette(io.color);
  return (row) =>
    io.stdout(rowText(row, { colors, columns: io.columns, isUninstalled: flags.uninstall === true }));
}

function headText({ ca, problem, stores }: TrustContext, io: Io): string {
  const { bold, dim, red } = palette(io.color);
  if (ca === undefined)
    return "no CA has been made yet: the first `chanctl dev` or `chanctl trust` makes one\n\n";
  const warning = problem === undefined ? "" : `${red("!")} ${problem.message}\n`;
  const none = stores.length === 0 ? "no trust store was found on this machine\n" : "";
  return `${bold(ca.name)}  ${dim(shortPath(ca.path))}\n${warning}\n${none}`;
}

function closingText(
  changed: readonly ChangedStore[],
  { flags, hasCa }: { flags: TrustFlags; hasCa: boolean },
): string {
  const left = changed.filter(({ row }) => isOpen(row, flags)).length;
  const stores = left === 1 ? "1 store" : `${left} stores`;
  if (!hasCa)
    return flags.uninstall ? "nothing to take out" : "chanctl trust     makes the CA and adds it to each";
  if (flags.uninstall) return left === 0 ? "no store trusts the CA" : `${stores} left: see fix`;
  if (left > 0) return `${stores} to go: see fix`;
  return "every store trusts the CA     undo: chanctl trust --uninstall";
}

function exitCodeOf(changed: readonly ChangedStore[], flags: TrustFlags): number {
  if (changed.some(({ isUnasked }) => isUnasked)) return EXIT_NO_TERMINAL;
  return changed.some(({ row }) => isOpen(row, flags)) ? 1 : 0;
}

/** Whether a store is not as was asked for. */
function isOpen(row: StoreRow, flags: TrustFlags): boolean {
  if (flags.uninstall) return row.state === "trusted" || row.fix !== undefined;
  return !isSettled(row);
}

function parseKinds(text: string | undefined): readonly StoreKind[] | undefined {
  return text?.split(",").map((word) => {
    const kind = STORE_KINDS.find((known) => known === word.trim());
    if (kind !== undefined) return kind;
    const near = didYouMean(word, [...STORE_KINDS]);
    throw new ChanctlError("usage", `\`--store\` must name ${oneOf(STORE_KINDS)}, got \`${word}\``, {
      hint: near === undefined ? "chanctl trust --store nss,firefox" : `did you mean \`${near}\`?`,
    });
  });
}

import {
  STORE_KINDS,
  type StoredAuthority,
  type StoreKind,
  type TrustStore,
} from "../../certs/trust/trust-store.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { oneOf } from "../../shared/one-of.ts";
import { fixLines } from "../fix-lines.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { textColumns } from "../terminal-text.ts";
import { type ChangedStore, installInto, uninstallFrom } from "./change-store.ts";
import { closingText, noneText } from "./closing-text.ts";
import { askForOthers } from "./others-question.ts";
import { permissionAsker } from "./permission.ts";
import { rowText, shortPath } from "./row-text.ts";
import { isSettled, toRow, withOthers } from "./store-row.ts";
import { findTrust, type TrustContext } from "./trust-context.ts";

/** The flags of `trust`, as commander read them. */
export interface TrustFlags {
  readonly uninstall?: true;
  readonly status?: true;
  /** With `uninstall`: the CAs of other users and config folders too. */
  readonly all?: true;
  /** Kinds of stores, with commas. */
  readonly store?: string;
  readonly yes?: true;
  readonly json?: true;
}

const EXIT_NO_TERMINAL = 4;
const EXIT_CANCELLED = 130;

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
  if (flags.all && !flags.uninstall) {
    throw new ChanctlError("usage", "`--all` says what `--uninstall` takes out, which is not given", {
      hint: "chanctl trust --uninstall --all",
    });
  }
  const isInstalling = !flags.uninstall && !flags.status;
  const mayAsk = !flags.json && io.isTerminal;
  const kinds = parseKinds(flags.store);
  const context = await findTrust({ kinds, isMaking: isInstalling, mayAsk }, io);
  const show = rowPrinter(flags, io);
  if (io.env["SUDO_USER"] && process.getuid?.() === 0) io.stderr(fitted(sudoNotice(io.env["SUDO_USER"]), io));
  if (!flags.json) io.stdout(headText(context, { kinds, io }));
  const mayRunAsRoot = permissionAsker({ isYes: flags.yes === true, mayAsk }, io);
  const isAsking = mayAsk && flags.uninstall && !flags.all && !flags.yes;
  const answer = isAsking ? await askForOthers(context.stores, io) : "no";
  if (answer === "cancelled") return io.setExitCode(EXIT_CANCELLED);
  const isTaken = ({ isOwn }: StoredAuthority) => isOwn || flags.all === true || answer === "yes";
  const changed: ChangedStore[] = [];
  // One after the other: some ask for a password, and two updates of one store at once fail.
  for (const store of context.stores) {
    const result = flags.status
      ? await lookAt(store)
      : await (flags.uninstall ? uninstallFrom : installInto)(store, { mayRunAsRoot, isTaken });
    if (result.permission === "cancelled") return io.setExitCode(EXIT_CANCELLED);
    changed.push(result);
    show(result);
  }
  const hasCa = context.ca !== undefined;
  if (!flags.json)
    io.stdout(
      `\n${fitted(closingText(changed, { kinds, isUninstalling: !isInstalling && !flags.status, hasCa }), io)}`,
    );
  io.setExitCode(exitCodeOf(changed, flags));
}

async function lookAt(store: TrustStore): Promise<ChangedStore> {
  const [state, held] = await Promise.all([store.status({ verify: true }), store.held()]);
  const row = toRow(store, state);
  const fix = row.state === "untrusted" ? { fix: `chanctl trust --store ${store.kind}` } : {};
  return { row: withOthers({ ...fix, ...row }, held), isOpen: !isSettled(row), permission: "yes" };
}

/** A sentence and its line end, broken between words where a terminal would break in one; whole in a pipe. */
function fitted(sentence: string, { isOutputTerminal, columns }: Io): string {
  return `${fixLines(sentence, isOutputTerminal ? columns : Infinity).join("\n")}\n`;
}

/** Whoever types sudo before it out of habit trusts a CA that their own `chanctl dev` does not use. */
function sudoNotice(user: string): string {
  return `this is about the CA and the browsers of root, not of ${user}: leave sudo out, what needs root is asked for`;
}

function rowPrinter(flags: TrustFlags, io: Io): (store: ChangedStore) => void {
  if (flags.json) return ({ row }) => io.stdout(`${JSON.stringify(row)}\n`);
  const colors = palette(io.color);
  const wrapAt = io.isOutputTerminal ? io.columns : Infinity;
  return ({ row, isOpen }) => io.stdout(rowText(row, { colors, columns: io.columns, wrapAt, isOpen }));
}

function headText(
  { ca, problem, stores }: TrustContext,
  { kinds, io }: { kinds: readonly StoreKind[] | undefined; io: Io },
): string {
  const { bold, dim, red } = palette(io.color);
  const none = stores.length === 0 ? fitted(noneText(kinds), io) : "";
  if (ca === undefined)
    return `${fitted("no CA has been made yet: the first `chanctl dev` or `chanctl trust` makes one", io)}\n${none}`;
  const warning = problem === undefined ? "" : fitted(`! ${problem.message}`, io).replace("!", red);
  const place = shortPath(ca.path);
  const isOneLine = !io.isOutputTerminal || textColumns(`${ca.name}  ${place}`) <= io.columns;
  return `${bold(ca.name)}${isOneLine ? "  " : "\n"}${dim(place)}\n${warning}\n${none}`;
}

function exitCodeOf(changed: readonly ChangedStore[], flags: TrustFlags): number {
  if (changed.some(({ permission }) => permission === "unasked")) return EXIT_NO_TERMINAL;
  if (changed.length === 0 && flags.store !== undefined && !flags.uninstall) return 1; // what was named is not there
  return changed.some(({ isOpen }) => isOpen) ? 1 : 0;
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

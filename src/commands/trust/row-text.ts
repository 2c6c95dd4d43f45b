import { homedir } from "node:os";

import { fixLines } from "../fix-lines.ts";
import type { Palette } from "../palette.ts";
import { wrapColumns } from "../terminal-text.ts";
import type { StoreRow } from "./store-row.ts";

interface RowTextOptions {
  readonly colors: Palette;
  readonly columns: number;
  /** Where sentences and commands are broken between words: nowhere in a pipe. @default `columns` */
  readonly wrapAt?: number;
  /** The store is not as was asked for. */
  readonly isOpen: boolean;
}

const NAME_WIDTH = 12;
const STATE_WIDTH = 30;
/** After what is wider than its column. */
const WIDE_GAP = "     ";
/** What a program's word is worth, where it is not its own check of the certificate. */
const PROOFS: Readonly<Record<string, string>> = {
  curl: "verified by handshake",
  openssl: "verified by handshake",
  tstclnt: "verified by handshake",
  java: "verified by handshake",
  keytool: "listed by keytool",
};
const INDENT = "      ";
const FIX = "fix: ";

/**
 * The lines of a store.
 *
 * ```
 *   ✓ Chromium       trusted, verified by certutil     ~/.pki/nssdb
 *   ✗ Firefox        `certutil` of NSS is not installed     ~/.mozilla/firefox/a1b2.default
 *       fix: sudo apt install libnss3-tools
 * ```
 */
export function rowText(
  row: StoreRow,
  { colors, columns, wrapAt = columns, isOpen }: RowTextOptions,
): string {
  const { dim } = colors;
  const room = Math.max(20, wrapAt - INDENT.length);
  const name = row.store.padEnd(NAME_WIDTH);
  const state = stateText(row);
  const place = shortPath(row.place);
  const head = `  ${mark(row, { colors, isOpen })} ${name} `;
  const gap = state.length > STATE_WIDTH ? WIDE_GAP : " ";
  const isOneLine =
    5 + NAME_WIDTH + Math.max(state.length, STATE_WIDTH) + gap.length + place.length <= columns;
  const first = isOneLine
    ? `${head}${state.padEnd(STATE_WIDTH)}${gap}${dim(place)}\n`
    : `${head}${wrapColumns(state, Math.max(20, wrapAt - 5 - NAME_WIDTH)).join(`\n${INDENT}`)}\n${INDENT}${dim(place)}\n`;
  const removed = row.removed?.map((name) => `taken out: ${name}`) ?? [];
  const others = row.others?.map(
    ({ name, sha1 }) =>
      `not yours: ${name} (SHA-1 ${sha1}), of another user or config folder, which may be gone`,
  );
  const fix = row.fix === undefined ? [] : fixLines(row.fix, room - FIX.length);
  const further = [
    ...wrapAll(removed, room),
    ...wrapAll(row.note === undefined ? [] : [row.note], room),
    ...wrapAll(others ?? [], room).map(dim),
    ...fix.map((line, index) => (index === 0 ? dim(FIX) : " ".repeat(FIX.length)) + line),
  ];
  return first + further.map((line) => `${INDENT}${line}\n`).join("");
}

function wrapAll(texts: readonly string[], columns: number): readonly string[] {
  return texts.flatMap((text) => wrapColumns(text, columns));
}

/** A path as people write it, with `~` for their home folder. */
export function shortPath(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function mark({ state }: StoreRow, { colors, isOpen }: Pick<RowTextOptions, "colors" | "isOpen">): string {
  const { green, red, dim } = colors;
  if (state === "inherited" || state === "unused") return dim("·");
  return isOpen ? red("✗") : green("✓");
}

function stateText({ state, verifiedBy, reason }: StoreRow): string {
  if (state === "trusted" && reason !== undefined) return `trusted; ${reason}`;
  if (state === "trusted")
    return verifiedBy === undefined
      ? "trusted"
      : `trusted, ${PROOFS[verifiedBy] ?? `verified by ${verifiedBy}`}`;
  if (state === "untrusted") return reason === undefined ? "not trusted" : `not trusted: ${reason}`;
  return reason ?? state;
}

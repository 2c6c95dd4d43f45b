import { homedir } from "node:os";

import type { Palette } from "../palette.ts";
import type { StoreRow } from "./store-row.ts";

interface RowTextOptions {
  readonly colors: Palette;
  readonly columns: number;
  /** After `--uninstall` it is good that a store does not trust. */
  readonly isUninstalled: boolean;
}

const NAME_WIDTH = 14;
const STATE_WIDTH = 29;

/**
 * The lines of a store.
 *
 * ```
 *   ✓ Chromium       trusted, verified by certutil     ~/.pki/nssdb
 *   ✗ Firefox        `certutil` of NSS is not installed     ~/.mozilla/firefox/a1b2.default
 *       fix: sudo apt install libnss3-tools
 * ```
 */
export function rowText(row: StoreRow, { colors, columns, isUninstalled }: RowTextOptions): string {
  const { dim } = colors;
  const name = row.store.padEnd(NAME_WIDTH);
  const state = stateText(row);
  const place = shortPath(row.place);
  const isOneLine = 4 + NAME_WIDTH + Math.max(state.length, STATE_WIDTH) + 1 + place.length <= columns;
  const head = `  ${mark(row, { colors, isUninstalled })} ${name} `;
  const first = isOneLine
    ? `${head}${state.padEnd(STATE_WIDTH)} ${dim(place)}\n`
    : `${head}${state}\n      ${dim(place)}\n`;
  const others =
    row.others?.map((other) => `also there: ${other}, of another config folder (CHANCTL_HOME)`) ?? [];
  const further = [
    ...(row.note === undefined ? [] : [row.note]),
    ...(row.fix === undefined ? [] : [`${dim("fix:")} ${row.fix.replaceAll("\n", "\n           ")}`]),
    ...others.map(dim),
  ];
  return first + further.map((line) => `      ${line}\n`).join("");
}

/** A path as people write it, with `~` for their home folder. */
export function shortPath(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function mark(
  { state, fix }: StoreRow,
  { colors, isUninstalled }: Pick<RowTextOptions, "colors" | "isUninstalled">,
): string {
  const { green, red, dim } = colors;
  if (state === "inherited" || state === "unused") return dim("·");
  const isGood = isUninstalled ? state !== "trusted" && fix === undefined : state === "trusted";
  return isGood ? green("✓") : red("✗");
}

function stateText({ state, verifiedBy, reason }: StoreRow): string {
  if (state === "trusted") return verifiedBy === undefined ? "trusted" : `trusted, verified by ${verifiedBy}`;
  if (state === "untrusted") return reason === undefined ? "not trusted" : `not trusted: ${reason}`;
  return reason ?? state;
}

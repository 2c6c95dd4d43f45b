import type { Palette } from "../palette.ts";
import { CTRL_D } from "./key-input.ts";

/** What a key asks for. */
type KeyAction = "help" | "open" | "info" | "restart" | "clear" | "quit" | "blank line";

const ACTIONS: ReadonlyMap<string, KeyAction> = new Map([
  ["h", "help"],
  ["?", "help"],
  ["o", "open"],
  ["i", "info"],
  ["r", "restart"],
  ["c", "clear"],
  ["q", "quit"],
  [CTRL_D, "quit"],
  ["\r", "blank line"],
  ["\n", "blank line"],
]);

/** What a key does; `undefined` for one that does nothing. Capitals count: Caps Lock is no mistake. */
export function keyOf(key: string): KeyAction | undefined {
  return ACTIONS.get(key.toLowerCase());
}

/** The list of keys that `h` shows. */
export function keysText(openUrl: string, { bold, cyan }: Palette): string {
  const rows = [
    ["o", `open ${cyan(openUrl)}`],
    ["i", "URLs, channels with their streams, the store"],
    ["r", "restart the app; try broken channels again"],
    ["c", "clear the screen"],
    ["q", "quit; Ctrl-C too, twice ends at once"],
  ];
  return `\n${rows.map(([key = "", text = ""]) => `  ${bold(key)}  ${text}\n`).join("")}\n`;
}

/** The banner's line about them. */
export function keysLine({ bold, dim }: Palette): string {
  const keys = [
    ["h", "help"],
    ["o", "open"],
    ["i", "info"],
    ["r", "restart"],
    ["c", "clear"],
    ["q", "quit"],
  ];
  return keys.map(([key = "", text = ""]) => `${bold(key)} ${dim(text)}`).join(dim("   "));
}

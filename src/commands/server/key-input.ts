export const CTRL_C = "\u0003";
export const CTRL_D = "\u0004";
export const CTRL_Z = "\u001A";
export const CTRL_BACKSLASH = "\u001C";
const ESCAPE = "\u001B";

/** What comes in one piece and is longer was pasted, not pressed. */
const LONGEST_BURST = 8;

/** The keys of a piece of input. An arrow key is several characters that mean none of ours; so is what was pasted. */
export function toKeys(text: string): string[] {
  if (text.includes(CTRL_C)) return [CTRL_C];
  if (text.startsWith(ESCAPE) || text.length > LONGEST_BURST) return [];
  return Array.from(text);
}

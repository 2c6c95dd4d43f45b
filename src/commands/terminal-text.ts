import { narrowFrames } from "../platform/code-frame.ts";

let segmenter: Intl.Segmenter | undefined; // 10 ms to make: `--help` and completion need none

/**
 * Makes the text of others harmless to print: a control character could move the cursor, retitle the
 * window or forge lines (CWE-150), a bidirectional one reorder what is read. Line breaks are escaped too.
 */
export function escapeControls(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
    },
  );
}

/** Cuts a text to so many columns; what was cut is shown by `…`. */
export function fitColumns(text: string, columns: number): string {
  let used = 0;
  let kept = "";
  for (const { segment } of graphemesOf(text)) {
    const width = columnsOf(segment);
    if (used + width > columns) {
      return `${dropLast(kept, used >= columns)}…`;
    }
    used += width;
    kept += segment;
  }
  return kept;
}

/**
 * Keeps a fitted line on one row of a terminal: terminals disagree on the width of some emoji (a skin tone, a family),
 * and one that counts more would break the line. DECAWM, reset and set.
 *
 * @see https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
export function withoutWrap(line: string): string {
  return `\u001B[?7l${line}\u001B[?7h`;
}

/** How many columns a text takes in a terminal. */
export function textColumns(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemesOf(text)) columns += columnsOf(segment);
  return columns;
}

/** Shortens a text to so many columns by what is in its middle: of a path, beginning and end tell the most. */
export function shortenMiddle(text: string, columns: number): string {
  if (textColumns(text) <= columns) return text;
  const graphemes = [...graphemesOf(text)].map(({ segment }) => segment);
  const tailColumns = Math.ceil((columns - 1) / 2);
  let tail = "";
  let used = 0;
  for (const grapheme of graphemes.toReversed()) {
    used += columnsOf(grapheme);
    if (used > tailColumns) break;
    tail = grapheme + tail;
  }
  return fitColumns(text, Math.max(1, columns - textColumns(tail))) + tail;
}

/** Breaks a text at its spaces into lines of at most so many columns; a longer word has a line of its own. */
export function wrapColumns(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && textColumns(line) + 1 + textColumns(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The same for each line of a text, but for those of a code frame: they are cut, for its carets point at columns. */
export function wrapLines(text: string, columns: number): string[] {
  const lines = narrowFrames(text, columns).split("\n");
  return lines.flatMap((line) => (/^[ >]/.test(line) ? [line] : wrapColumns(line, columns)));
}

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter();
  return segmenter.segment(text);
}

function dropLast(text: string, isFull: boolean): string {
  if (!isFull) return text;
  return [...graphemesOf(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join("");
}

const EMOJI = /^\p{Emoji_Presentation}|^\p{Emoji}\uFE0F/u;
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11FF]/u;

/**
 * An emoji takes two columns, however many code points it is of. Other clusters (a syllable of Devanagari) take what
 * their code points take: East Asian wide ones two, marks and joiners none.
 */
function columnsOf(grapheme: string): number {
  if (EMOJI.test(grapheme)) return 2;
  let columns = 0;
  for (const character of grapheme) columns += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

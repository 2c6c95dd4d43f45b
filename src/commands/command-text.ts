import { textColumns, wrapColumns } from "./terminal-text.ts";

/** How far a comment stands in. */
const COMMENT = "    ";

/**
 * A command as lines of at most so many columns, broken between its words by `\`, so that what is copied from a
 * terminal still runs. A comment after it (four spaces and more) stands below where it does not fit.
 */
export function commandLines(text: string, columns: number): readonly string[] {
  if (textColumns(text) <= columns) return [text];
  const [command = "", comment] = text.split(/ {4,}/, 2);
  return [...wrapCommand(command, columns), ...commentLines(comment, columns)];
}

/** A sentence as lines of at most so many columns; what comes after a wide gap stands below where it does not fit. */
export function sentenceLines(text: string, columns: number): readonly string[] {
  if (textColumns(text) <= columns) return [text];
  const [sentence = "", comment] = text.split(/ {4,}/, 2);
  return [...wrapColumns(sentence, columns), ...commentLines(comment, columns)];
}

function commentLines(comment: string | undefined, columns: number): readonly string[] {
  if (comment === undefined) return [];
  return wrapColumns(comment, columns - COMMENT.length).map((line) => COMMENT + line);
}

function wrapCommand(command: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of wordsOf(command)) {
    const room = columns - (lines.length > 0 ? 2 : 0) - 2; // the indent, and ` \`
    if (line !== "" && textColumns(line) + 1 + textColumns(word) > room) {
      lines.push(`${lines.length > 0 ? "  " : ""}${line} \\`);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, `${lines.length > 0 ? "  " : ""}${line}`];
}

/**
 * What is quoted is one word. What `su -c` is given is a command itself, in which the inner shell reads a `\` at the
 * end of a line as the outer one does.
 */
function wordsOf(command: string): readonly string[] {
  const words = command.startsWith("su -c ")
    ? command.match(/(?:'\\''[^']*'\\''|\S)+/g)
    : command.match(/(?:'(?:[^']|'\\'')*'|"[^"]*"|\S)+/g);
  return words ?? [];
}

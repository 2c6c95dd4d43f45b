import { textColumns } from "./terminal-text.ts";

/**
 * A command as lines of at most so many columns, broken between its words by `\`, so that what is copied from a
 * terminal still runs.
 */
export function commandLines(command: string, columns: number): readonly string[] {
  if (textColumns(command) <= columns) return [command];
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

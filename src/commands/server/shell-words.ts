/**
 * One command line of the words after `--`, so that the shell sees the same words again.
 *
 * `next dev --turbo` stays as it is; a word with a space or a quote in it is quoted.
 */
export function joinShellWords(words: readonly string[], platform: NodeJS.Platform): string {
  const quote = platform === "win32" ? quoteForCmd : quoteForSh;
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(" ");
}

function quoteForSh(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function quoteForCmd(word: string): string {
  return `"${word.replaceAll('"', '""')}"`;
}

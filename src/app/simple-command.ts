/** One command of a shell line: `PORT=3000 next dev`. */
export interface SimpleCommand {
  /** Its own variables: `{ PORT: "3000" }`. */
  readonly variables: Readonly<Record<string, string>>;
  /** The program and its arguments, without quotes. */
  readonly words: readonly string[];
  /** Where the line has gone before, one step each: `cd web && vite`. */
  readonly folders: readonly string[];
}

const TOKEN = /"((?:[^"\\]|\\.)*)"|'([^']*)'|(&&|\|\||[;&|\n()`])|([^\s"'&|;()`]+)|(\s)/g;
const VARIABLE = /^([A-Za-z_]\w*)=(.*)$/s;

/**
 * The last command of a shell line, which is the one that gets what is appended to the line.
 *
 * @returns `undefined` for a line with a pipe, a job in the background or a subshell: there nothing can be said.
 */
export function lastCommand(line: string): SimpleCommand | undefined {
  const folders: string[] = [];
  let words: string[] = [];
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (const [, double, single, operator, plain] of line.trim().matchAll(TOKEN)) {
    const part = double ?? single ?? plain;
    if (part !== undefined) {
      word = (word ?? "") + part;
      continue;
    }
    endWord();
    if (operator === undefined) continue;
    if (operator !== "&&" && operator !== ";" && operator !== "\n") return undefined;
    const [program, folder] = words;
    if (program === "cd" && folder !== undefined) folders.push(folder);
    words = [];
  }
  endWord();
  return { ...withoutVariables(words), folders };
}

/** `env` and `cross-env` do the same in a program of their own. */
function withoutVariables(words: readonly string[]): Omit<SimpleCommand, "folders"> {
  const variables: Record<string, string> = {};
  let start = 0;
  for (const word of words) {
    const [, name, value] = VARIABLE.exec(word) ?? [];
    if (name !== undefined && value !== undefined) variables[name] = value;
    else if (!/^(?:env|cross-env|cross-env-shell)$/.test(word)) break;
    start += 1;
  }
  return { variables, words: words.slice(start) };
}

/** What a command line gives to the program that npm runs. */
interface NpmArguments {
  /** What comes through to it. */
  readonly args: readonly string[];
  /** What must stand before further arguments so that they come through: `--`, or nothing. */
  readonly separators: readonly string[];
}

/** Of what follows its own words npm passes on all behind `--`, and before that what is no flag. */
export function npmArguments(words: readonly string[]): NpmArguments {
  const separator = words.indexOf("--");
  const end = separator === -1 ? words.length : separator;
  return {
    args: [...words.slice(0, end).filter((word) => !word.startsWith("-")), ...words.slice(end + 1)],
    separators: separator === -1 ? ["--"] : [],
  };
}

/**
 * What `npm exec` runs. Unlike `npx`, npm keeps flags for itself behind the program's name too: `npm exec vite --port
 * 3000` gives vite `3000` alone.
 *
 * @returns `undefined` if it is no `npm exec`; no words for a command line of its own, `npm exec -c "vite"`, to which
 *   nothing can be added.
 */
export function findNpmExec(
  words: readonly string[],
): { readonly words: readonly string[]; readonly separators: readonly string[] } | undefined {
  const [program, verb, ...rest] = words;
  if (program !== "npm" || (verb !== "exec" && verb !== "x")) return undefined;
  const own = rest.slice(0, [...rest, "--"].indexOf("--"));
  if (own.some((word) => /^(?:-c|--call)(?:=|$)/.test(word))) return { words: [], separators: [] };
  const { args, separators } = npmArguments(rest);
  return { words: args, separators };
}

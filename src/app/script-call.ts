import { npmArguments } from "./npm-arguments.ts";

/** A script of package.json, called on a command line. */
interface ScriptCall {
  /** What the script says. */
  readonly line: string;
  /** What follows its name and comes through to it. */
  readonly args: readonly string[];
  /** What must stand before further arguments so that they come through: `--`, or nothing. */
  readonly separators: readonly string[];
}

/**
 * The script that a command line calls. npm and `node --run` keep flags for themselves unless `--` comes before; the
 * others pass on what follows the name.
 *
 * @returns `undefined` if it calls none of these.
 */
export function findScriptCall(
  words: readonly string[],
  scripts: Readonly<Record<string, unknown>>,
): ScriptCall | undefined {
  const [program = "", ...rest] = words;
  const verb = rest[0] ?? "";
  const isRun = verb === "run" || verb === "run-script" || verb === "task";
  const name = isRun || (program === "node" && verb === "--run") ? rest[1] : verb;
  const line = name === undefined || !Object.hasOwn(scripts, name) ? undefined : scripts[name];
  if (name === undefined || typeof line !== "string") return undefined;
  const args = rest.slice(rest.indexOf(name) + 1);
  if (/^(?:pnpm|yarn|bun|deno)$/.test(program))
    return { line, args: args.filter((arg) => arg !== "--"), separators: [] };
  const isNpm = program === "npm" && (isRun || name === "start" || name === "test");
  if (!isNpm && !(program === "node" && verb === "--run")) return undefined;
  return { line, ...npmArguments(args) };
}

/** By which flags a package manager works in another folder. */
const FOLDER_FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ["npm", ["--prefix", "-C"]],
  ["pnpm", ["--dir", "-C"]],
  ["yarn", ["--cwd"]],
  ["bun", ["--cwd"]],
]);

/**
 * The folder in which a package manager is told to work, and the command without that: `pnpm -C web dev` is `pnpm dev`
 * in `web`. npm looks for its flags up to `--`; the others do up to the script's name, and pass on those that follow.
 */
export function takeFolder(words: readonly string[]): {
  readonly words: readonly string[];
  readonly folders: readonly string[];
} {
  const [program = "", verb] = words;
  const flags = FOLDER_FLAGS.get(program) ?? [];
  const othersEnd = verb === "run" ? 3 : 2;
  const end = program === "npm" ? [...words, "--"].indexOf("--") : othersEnd;
  const at = words.slice(0, end).findIndex((word) => flags.includes(word.replace(/=.*$/s, "")));
  const [flag = "", next = ""] = at === -1 ? [] : words.slice(at);
  if (flag === "") return { words, folders: [] };
  const [, value] = /=(.*)$/s.exec(flag) ?? [];
  return { words: words.toSpliced(at, value === undefined ? 2 : 1), folders: [value ?? next] };
}

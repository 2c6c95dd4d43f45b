import { tmpdir } from "node:os";

import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, it } from "vitest";

import { requirePrograms } from "../support/requires.ts";
import { PROMPT, Terminal } from "../support/terminal.ts";
import { runCli } from "./cli.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const cwd = tmpdir();

interface Help {
  /** The command's words: `["channel", "add"]`. */
  readonly path: readonly string[];
  readonly text: string;
}

const helps: Help[] = [];

/** Every command with its verbs, as the completion of the program itself lists them. */
async function readHelps(path: readonly string[]): Promise<void> {
  const { code, stdout } = await runCli([...path, "--help"], { cwd });
  expect(code).toBe(0);
  helps.push({ path, text: stdout });
  const isGroup = stdout.includes("\nCommands:\n") || path.length === 0;
  if (!isGroup) return;
  const words = (await runCli(["__complete", ...path, ""], { cwd })).stdout.split("\n").slice(1, -1);
  await Promise.all(words.map((line) => readHelps([...path, line.split("\t")[0] ?? ""])));
}

beforeAll(() => readHelps([]));

const nameOf = ({ path }: Help): string => ["chanctl", ...path].join(" ");

/** The options that a help lists: `--port`, `-n`. */
const optionsOf = (text: string): string[] =>
  [...text.matchAll(/^ {2}(-[^ ,]+)(?:, (--[^ ]+))?/gm)].flatMap(([, first = "", second]) =>
    second === undefined ? [first] : [first, second],
  );

/** The command lines of a help's examples, without the shell's other commands. */
const examplesOf = (text: string): string[] =>
  [...text.matchAll(/^ {2}\$ (.*)$/gm)].flatMap(
    ([, line = ""]) =>
      /chanctl [^|>]*/
        .exec(line.replace(/\$\((.*)\)/, "$1"))?.[0]
        .split(/ {3,}/)[0]
        ?.trim() ?? [],
  );

describe("the help of every command", () => {
  it("is found, the verbs of groups too", () => {
    const names = helps.map(nameOf);
    for (const name of [
      "init",
      "dev",
      "serve",
      "tail",
      "publish",
      "completion",
      "channel add",
      "stream read",
      "token jwt",
    ]) {
      expect(names).toContain(`chanctl ${name}`);
    }
  });

  it("shows an example first", () => {
    for (const help of helps) {
      const examples = examplesOf(help.text.slice(0, help.text.indexOf("Usage:")));
      const wanted = expect.arrayContaining([expect.stringMatching(new RegExp(`^${nameOf(help)}\\b`))]);
      expect(examples, nameOf(help)).toEqual(wanted);
    }
  });

  it.for([60, 100])("fits a terminal of %i columns", { timeout: 60_000 }, async (columns, context) => {
    requirePrograms(context, "tmux", "bash");
    const commands = helps.map(({ path }) => path.join(" ")).join(",");
    const env = { CHANCTL: CLI, NODE: process.execPath, COMMANDS: `${commands},` };
    await using terminal = await Terminal.open({ cwd, columns, env });
    await terminal.enter('clear; while read -rd, c; do "$NODE" "$CHANCTL" $c --help; done <<< "$COMMANDS"');
    await terminal.until(
      (screen) => screen.includes("print this help") && screen.trimEnd().endsWith(PROMPT),
      { timeoutMs: 50_000 },
    );
    const lines = (await terminal.history()).split("\n"); // what the terminal has broken is joined again
    expect(lines.filter((line) => line.startsWith("Usage: "))).toHaveLength(helps.length);
    expect(lines.filter((line) => line.length > columns && !line.includes("clear;"))).toEqual([]);
  });

  it("fits 80 columns in a pipe", () => {
    const wide = helps.flatMap((help) =>
      help.text.split("\n").flatMap((line) => (line.length > 80 ? [`${nameOf(help)}: ${line}`] : [])),
    );
    expect(wide).toEqual([]);
  });

  it("shows examples of commands and options that there are", () => {
    const byPath = new Map(helps.map((help) => [nameOf(help), help.text]));
    let checked = 0;
    for (const help of helps) {
      for (const example of examplesOf(help.text)) {
        const words = example.replaceAll(/'[^']*'|"[^"]*"/g, "quoted").split(" ");
        const name =
          [3, 2, 1].map((length) => words.slice(0, length).join(" ")).find((path) => byPath.has(path)) ?? "";
        expect(name, example).not.toBe("chanctl");
        const takesParams = /<channel> \[--<param>/.test(byPath.get(name) ?? "");
        const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
        const typed = own.filter((word) => word.startsWith("-") && word !== "-");
        const unknown = typed.filter((option) => !optionsOf(byPath.get(name) ?? "").includes(option));
        expect(
          unknown.filter((option) => !(takesParams && ["--room"].includes(option))),
          example,
        ).toEqual([]);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(40);
  });

  it("says what an option is without a value: its default, in brackets", () => {
    const silent = helps.flatMap((help) =>
      [...help.text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+ <[^]*?)(?=^ {2}-|^$)/gm)].flatMap(([, option = ""]) =>
        /\(.+\)\s*$|repeatable|without\s+one/.test(option.replaceAll(/\s+/g, " "))
          ? []
          : [`${nameOf(help)}: ${option.trim()}`],
      ),
    );
    expect(silent).toEqual([]);
  });
});

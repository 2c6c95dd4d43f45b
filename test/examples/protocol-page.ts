import { readFileSync } from "node:fs";

/** A fenced block of a Markdown page. */
interface Block {
  /** What stands after the backticks: `console`, `json authorize-yes`. */
  readonly info: string;
  readonly text: string;
}

/** A command of a `console` block, and what it prints. */
export interface Command {
  readonly command: string;
  readonly output: string;
}

/** docs/protocol.md, taken apart. */
export interface ProtocolPage {
  /** The text of the block with this info string. */
  block(info: string): string;
  /** All commands, in their order. */
  readonly commands: readonly Command[];
  /** The rows of each table whose first column has this title, cell by cell, without backticks. */
  table(title: string): string[][];
}

/** Reads docs/protocol.md, so that tests can hold it to its word. */
export function readProtocolPage(): ProtocolPage {
  const page = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");
  const blocks: Block[] = [...page.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(
    ([, info = "", text = ""]) => ({
      info,
      text,
    }),
  );
  return {
    block: (info) => {
      const found = blocks.find((block) => block.info === info);
      if (found === undefined) throw new Error(`docs/protocol.md has no block \`${info}\``);
      return found.text;
    },
    commands: blocks.filter(({ info }) => info === "console").flatMap(({ text }) => parseCommands(text)),
    table: (title) =>
      page
        .split(/\n{2,}/)
        .filter((paragraph) => paragraph.startsWith(`| ${title} |`))
        .flatMap((table) => table.trim().split("\n").slice(2))
        .map((row) => row.slice(2, -2).replaceAll("`", "").split(" | ")),
  };
}

function parseCommands(text: string): Command[] {
  return text
    .split(/^\$ /m)
    .filter(Boolean)
    .map((part) => {
      const end = part.indexOf("\n");
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}

/** Replaces what differs from run to run: times, and which life of a stream an id is of. */
export function normalize(text: string): string {
  return text
    .replaceAll(/"time":\d+/g, '"time":0')
    .replaceAll(/^retry: \d+/gm, "retry: 0")
    .replaceAll(/\d{16}(_\d{16})/g, "life$1");
}

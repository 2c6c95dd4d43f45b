import { describe, expect, it } from "vitest";

import { tableLines } from "#src/commands/table.ts";
import { planLines } from "#src/commands/init/plan-lines.ts";
import { formatRows } from "#src/commands/server/rows.ts";
import { stepLines } from "#src/commands/step-lines.ts";

const WIDE = { color: false, columns: 100, isOutputTerminal: true };
const NARROW = { ...WIDE, columns: 60 };
/** What a pipe reads is not fitted to anything. */
const PIPE = { color: false, columns: 20, isOutputTerminal: false };

const TABLE = {
  head: ["NAME", "TRANSPORT", "AUTH", "FILE"],
  rows: [
    ["chat", "ws", "header authorization, cookie session", "channels/chat.ts"],
    ["game/moves", "sse", "public", "channels/game/moves.ts"],
  ],
};

describe("a table", () => {
  it.each([WIDE, PIPE])("has a line a row where there is room, and in a pipe", (io) => {
    expect(tableLines(TABLE, io).split("\n")).toEqual([
      "NAME        TRANSPORT  AUTH                                  FILE",
      "chat        ws         header authorization, cookie session  channels/chat.ts",
      "game/moves  sse        public                                channels/game/moves.ts",
      "",
    ]);
  });

  it("has a line a cell on a terminal of 60 columns", () => {
    expect(tableLines(TABLE, NARROW).split("\n")).toEqual([
      "chat",
      "  transport  ws",
      "  auth       header authorization, cookie session",
      "  file       channels/chat.ts",
      "",
      "game/moves",
      "  transport  sse",
      "  auth       public",
      "  file       channels/game/moves.ts",
      "",
    ]);
  });

  it("breaks a cell between its words", () => {
    const params = ["room", "since", "limit", "lang", "old", "json"].map((name) => `${name}?:string`);
    const table = { head: ["NAME", "PARAMS"], rows: [["chat", params.join(" ")]] };
    expect(tableLines(table, NARROW).split("\n")).toEqual([
      "chat",
      "  params  room?:string since?:string limit?:string",
      "          lang?:string old?:string json?:string",
      "",
    ]);
  });
});

describe("steps", () => {
  const steps = [
    ["npm install", ""],
    ["edit channels/chat.ts", "findUser says who may come in; nobody may yet"],
  ] as const;

  it("stand in two columns where there is room, and in a pipe", () => {
    const line = "  edit channels/chat.ts   findUser says who may come in; nobody may yet";
    for (const io of [WIDE, PIPE]) expect(stepLines(steps, io)).toBe(`  npm install\n${line}\n`);
  });

  it("have their purpose below on a terminal of 60 columns", () => {
    expect(stepLines(steps, NARROW)).toBe(
      "  npm install\n  edit channels/chat.ts\n    findUser says who may come in; nobody may yet\n",
    );
  });
});

it("a plan breaks what it adds between entries", () => {
  const added = ["scripts.dev", "dependencies.chanctl", "allowScripts.better-sqlite3"];
  const change = { path: "package.json", kind: "add to", text: "", current: "", added } as const;
  expect(planLines([change], PIPE)).toBe(`  ~ add to   package.json  ${added.join(", ")}\n`);
  expect(planLines([change], NARROW).split("\n")).toEqual([
    "  ~ add to   package.json  scripts.dev,",
    "                           dependencies.chanctl,",
    "                           allowScripts.better-sqlite3",
    "",
  ]);
});

describe("a row of the banner", () => {
  const items = [
    { text: "none" },
    { text: "chanctl channel add chat --transport ws --param room:string", isCommand: true },
  ];

  it("breaks a command on a terminal of 60 columns so that it runs when it is copied", () => {
    expect(formatRows([{ label: "channels", items }], NARROW)).toBe(
      "  channels  none\n" +
        "            chanctl channel add chat --transport ws \\\n" +
        "              --param room:string\n",
    );
  });

  it.each([WIDE, PIPE])("keeps it whole where there is room, and in a pipe", (io) => {
    expect(formatRows([{ label: "channels", items }], io)).toBe(
      "  channels  none  chanctl channel add chat --transport ws --param room:string\n",
    );
  });
});

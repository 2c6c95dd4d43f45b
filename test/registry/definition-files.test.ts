import { expect, it } from "vitest";

import { listDefinitionFiles } from "#src/registry/definition-files.ts";
import { createProject } from "./temp-project.ts";

it("names a channel by its path", () => {
  const { path } = createProject({
    "channels/chat.ts": "",
    "channels/game/moves.mts": "",
    "channels/old.js": "",
    "channels/older.mjs": "",
    "channels/python.json": "",
  });
  const { byName } = listDefinitionFiles(path("channels"));
  expect([...byName]).toEqual([
    ["chat", [path("channels/chat.ts")]],
    ["game/moves", [path("channels/game/moves.mts")]],
    ["old", [path("channels/old.js")]],
    ["older", [path("channels/older.mjs")]],
    ["python", [path("channels/python.json")]],
  ]);
});

it("takes no hidden or private files and folders, declarations, tests or other files for channels", () => {
  const { path } = createProject({
    "channels/_shared.ts": "",
    "channels/.chat.ts.swp": "",
    "channels/.hidden.ts": "",
    "channels/_lib/chat.ts": "",
    "channels/node_modules/x/index.js": "",
    "channels/chat.d.ts": "",
    "channels/chat.d.mts": "",
    "channels/chat.test.ts": "",
    "channels/chat.spec.js": "",
    "channels/README.md": "",
    "channels/chat.ts~": "",
  });
  expect(listDefinitionFiles(path("channels")).byName.size).toBe(0);
});

it("lists both files of a channel that is defined twice", () => {
  const { path } = createProject({ "channels/chat.ts": "", "channels/chat.json": "" });
  expect(listDefinitionFiles(path("channels")).byName.get("chat")).toEqual([
    path("channels/chat.json"),
    path("channels/chat.ts"),
  ]);
});

it("finds nothing where there is no folder", () => {
  const { path } = createProject();
  expect(listDefinitionFiles(path("channels"))).toEqual({ byName: new Map(), folders: [] });
});

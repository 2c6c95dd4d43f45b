import { describe, expect, it } from "vitest";

import { installCommand, packageNames } from "#src/registry/packages.ts";
import { createProject } from "./temp-project.ts";

describe("the names of packages", () => {
  it("are told from paths within them, Node's own modules, and what is no package", () => {
    const specifiers = [
      "a",
      "a/b",
      "@c/d",
      "@c/d/e.js",
      "fs/promises",
      "node:fs",
      "#own",
      "https://x/y",
      "@/alias",
    ];
    expect(packageNames(specifiers)).toEqual(["a", "@c/d"]);
  });
});

describe("the command that installs what is missing", () => {
  it("names what package.json does not", () => {
    const { root } = createProject({
      "package.json": '{ "dependencies": { "known": "1" } }',
      "node_modules/there/package.json": "{}",
    });
    expect(installCommand({ names: ["known", "there"], root })).toBe("npm install");
    expect(installCommand({ names: ["known", "there", "new", "@a/b"], root })).toBe("npm install new @a/b");
  });

  it("names all where there is no package.json", () => {
    const { root } = createProject();
    expect(installCommand({ names: ["new"], root })).toBe("npm install new");
  });
});

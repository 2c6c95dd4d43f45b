import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

import { bundleModule } from "#src/platform/bundle-module.ts";
import { ChanctlError } from "#src/shared/errors.ts";

function createFiles(files: Readonly<Record<string, string>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "chanctl-bundle-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

async function importBundle(root: string, entry: string): Promise<unknown> {
  const { outfile } = await bundleModule({
    entry: join(root, entry),
    cacheFolder: join(root, ".cache"),
    errorCode: "config_invalid",
  });
  return import(pathToFileURL(outfile).href);
}

async function messageOfBundling(root: string, entry: string): Promise<string> {
  const error: unknown = await importBundle(root, entry).catch((thrown: unknown) => thrown);
  if (!(error instanceof ChanctlError)) throw new Error(`expected a ChanctlError, got ${String(error)}`);
  expect(error.code).toBe("config_invalid");
  return error.message;
}

describe("a bundle", () => {
  it("runs TypeScript, with packages from the project", async () => {
    const root = createFiles({
      "node_modules/answer/package.json": '{ "name": "answer", "main": "index.js" }',
      "node_modules/answer/index.js": "module.exports = 42;",
      "main.ts": 'import answer from "answer"; export default answer satisfies number as number;',
    });
    expect(await importBundle(root, "main.ts")).toMatchObject({ default: 42 });
  });

  it("lets each source file know where it is", async () => {
    const root = createFiles({
      "main.ts": 'export * from "./lib/esm.js"; export { place as common } from "./lib/common.cjs";',
      "lib/esm.ts":
        "export const esm = [import.meta.url, import.meta.dirname, import.meta.filename] as const;",
      "lib/common.cjs": "exports.place = [__dirname, __filename, require('node:path').sep];",
    });
    expect(await importBundle(root, "main.ts")).toMatchObject({
      esm: [pathToFileURL(join(root, "lib/esm.ts")).href, join(root, "lib"), join(root, "lib/esm.ts")],
      common: [join(root, "lib"), join(root, "lib/common.cjs"), "/"],
    });
  });

  it("names the files it was made from", async () => {
    const root = createFiles({
      "main.ts": 'import { a } from "./a.ts"; import b from "./b.json"; export default [a, b];',
      "a.ts": "export const a = 1;",
      "b.json": "{}",
      "unused.ts": "",
    });
    const { inputs } = await bundleModule({
      entry: join(root, "main.ts"),
      cacheFolder: join(root, ".cache"),
      errorCode: "config_invalid",
    });
    expect([...inputs].sort()).toEqual(["a.ts", "b.json", "main.ts"].map((file) => join(root, file)));
  });

  it("tells of its files when it fails too, and of those that are not there", async () => {
    const root = createFiles({
      "main.ts": 'import "./a.ts"; import "./lib/b.js";',
      "a.ts": "(",
    });
    const told: string[] = [];
    const bundle = bundleModule({
      entry: join(root, "main.ts"),
      cacheFolder: join(root, ".cache"),
      errorCode: "config_invalid",
      onInput: (file) => told.push(file),
    });
    await expect(bundle).rejects.toThrow(ChanctlError);
    expect(told.sort()).toEqual(["a.ts", "lib/b.js", "main.ts"].map((file) => join(root, file)));
  });
});

describe("an error", () => {
  it("shows the place, two lines around it and a caret, a tab as two spaces", async () => {
    const root = createFiles({
      "lib/main.ts":
        "const a = 1;\nconst b = 2;\nconst c = 3;\n\tconst d = = 4;\nconst e = 5;\nconst f = 6;\nconst g = 7;",
    });
    expect(await messageOfBundling(root, "lib/main.ts")).toBe(
      [
        'main.ts:4:12: Unexpected "="',
        "",
        "  2 | const b = 2;",
        "  3 | const c = 3;",
        "> 4 |   const d = = 4;",
        "    |             ^",
        "  5 | const e = 5;",
        "  6 | const f = 6;",
      ].join("\n"),
    );
  });

  it("counts columns in characters, not in bytes", async () => {
    const root = createFiles({ "main.ts": 'const ä = "äöü", b = = 1;' });
    expect(await messageOfBundling(root, "main.ts")).toContain("main.ts:1:22: ");
  });

  it("is at its own column in a first line that asks where it is", async () => {
    const root = createFiles({ "main.ts": 'import "./missing.ts"; export default import.meta.url;' });
    const message = await messageOfBundling(root, "main.ts");
    expect(message).toContain('main.ts:1:8: Could not resolve "./missing.ts"');
    expect(message).toContain("    |        ^^^^^^^^^^^^^^\n".trimEnd());
  });

  it("says how many more there are", async () => {
    const root = createFiles({ "main.ts": 'import "./one.ts";\nimport "./two.ts";' });
    expect(await messageOfBundling(root, "main.ts")).toMatch(/\(and 1 more\)$/);
  });

  it("names the entry where there is no place", async () => {
    expect(await messageOfBundling(createFiles({}), "main.ts")).toMatch(/^main\.ts cannot be bundled: /);
  });
});

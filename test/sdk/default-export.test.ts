import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";

import { loadChannels } from "#src/sdk/load-channels.ts";
import { channelText } from "../support/channel-text.ts";
import { createProject, openRegistry } from "../registry/temp-project.ts";
import type { TempProject } from "../registry/temp-project.ts";

const ENTRY = fileURLToPath(new URL("../../dist/index.js", import.meta.url));

/** Channel files, by what is told of them: the file's name, then its text. */
const CHANNELS: Readonly<Record<string, readonly [file: string, text: string]>> = {
  "an ES module": ["chat.js", channelText("{ public: true }")],
  "a CommonJS module": ["chat.js", 'module.exports = require("chanctl").defineChannel({ public: true });'],
  "a CommonJS module that was an ES module": [
    "chat.js",
    'exports.__esModule = true; exports.default = require("chanctl").defineChannel({ public: true });',
  ],
  "a CommonJS module that only has a `default`": [
    "chat.js",
    'exports.default = require("chanctl").defineChannel({ public: true });',
  ],
  "of another copy of the package": [
    "chat.mjs",
    'import { defineChannel } from "copy-esm"; export default defineChannel({ public: true });',
  ],
  "of a copy that is CommonJS": [
    "chat.mjs",
    'import copy from "copy-cjs"; export default copy.defineChannel({ public: true });',
  ],
};

const OTHERS: Readonly<Record<string, readonly [file: string, text: string, came: string]>> = {
  "a plain object": ["chat.mjs", "export default { public: true };", "an object with `public`"],
  "a plain object in CommonJS": ["chat.js", "module.exports = { public: true };", "an object with `public`"],
  "a plain object in CommonJS that was an ES module": [
    "chat.js",
    "exports.__esModule = true; exports.default = { public: true };",
    "an object with `public`",
  ],
  "the copy of a channel": [
    "chat.mjs",
    'import { defineChannel } from "chanctl"; export default { ...defineChannel({ public: true }) };',
    "an object with `public`",
  ],
  "no default": ["chat.mjs", "export const chat = 1;", "nothing"],
  "a function": ["chat.mjs", "export default () => {};", "a function"],
};

function writeCopies(project: TempProject): void {
  for (const format of ["esm", "cjs"] as const) {
    const folder = `node_modules/copy-${format}`;
    const outfile = project.path(`${folder}/index.js`);
    buildSync({ entryPoints: [ENTRY], outfile, bundle: true, platform: "node", format });
    project.write(
      `${folder}/package.json`,
      JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }),
    );
  }
}

function createProjectWith(file: string, text: string): TempProject {
  const type = text.startsWith("import ") ? "module" : "commonjs";
  return createProject({ [`channels/${file}`]: text, "package.json": JSON.stringify({ type }) });
}

describe("the broker and `loadChannels` agree", () => {
  it.each(Object.entries(CHANNELS))("that a channel is one: %s", async (_, [file, text]) => {
    const project = createProjectWith(file, text);
    writeCopies(project);
    const { registry } = await openRegistry(project);
    expect(registry.failures).toEqual([]);
    expect(registry.get("chat")?.definition.public).toBe(true);
    await loadChannels(join(project.root, "channels"));
  });

  it.each(Object.entries(OTHERS))("that %s is none, and on what to write", async (_, [file, text, came]) => {
    const project = createProjectWith(file, text);
    const { registry } = await openRegistry(project);
    const said = `the default export must be a channel that \`defineChannel\` has made, got ${came}`;
    expect(registry.get("chat")).toBeUndefined();
    expect(registry.failures).toMatchObject([
      {
        code: "definition_invalid",
        message: expect.stringMatching(new RegExp(`^channels/${file}(?::1:\\d+)?: ${said}`)),
        hint: `export default defineChannel({ … })     with import { defineChannel } from 'chanctl'\nmv channels/${file} channels/_${file}     if it is no channel`,
      },
    ]);
    await expect(loadChannels(join(project.root, "channels"))).rejects.toMatchObject({
      code: "definition_invalid",
      message: expect.stringContaining(`channels/${file}: ${said}`),
      hint: expect.stringMatching(/^export default defineChannel\(\{ … \}\) /),
    });
  });
});

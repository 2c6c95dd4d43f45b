import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** A channel, exported so that the compiler must be able to write its type down. */
const CHAT = `
import { allow, defineChannel, reject } from "chanctl";
export const chat = defineChannel({
  paramsSchema: {
    type: "object",
    properties: { room: { type: "string" }, limit: { type: "integer", default: 10 } },
    required: ["room"],
  },
  messages: { say: { type: "object", properties: { text: { type: "string" } }, required: ["text"] } },
  auth: { cookieName: "session" },
  verify: ({ cookie, params }) => (cookie === params.room ? allow({ subject: cookie }) : reject("no")),
});
export const news = defineChannel({ public: true });
// @ts-expect-error a required field is missing
chat.publish({ room: "a" }, { type: "say", data: {} });
`;

const SERVER = `
import { createServer } from "node:http";
import { createChannels } from "chanctl";
import { defineConfig } from "chanctl/config";
import { startServer } from "chanctl/server";
import { chat } from "./chat.mjs";
export const channels = createChannels({ chat });
export const server = createServer((request, response) => channels.middleware(request, response, () => {}));
export const config = defineConfig({ port: 4433 });
export const running = await startServer();
`;

const PAGE = `
import type { ChannelMessages, ChannelParams } from "chanctl";
import type { chat } from "./chat.mjs";
export const params: ChannelParams<typeof chat> = { room: document.title };
export const message: ChannelMessages<typeof chat> = { type: "say", data: { text: "hi" } };
// @ts-expect-error the message has another type
export const wrong: ChannelMessages<typeof chat> = { type: "shout", data: { text: "hi" } };
`;

const COMMON_JS = `
import { defineChannel } from "chanctl";
export const news = defineChannel({ public: true });
`;

const STRICT = ["--ignoreConfig", "--noEmit", "--strict", "--declaration", "--skipLibCheck", "false"];

describe("the types of the packed tarball, with no library check skipped", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "chanctl-types-"));
    const modules = join(folder, "node_modules");
    await mkdir(modules);
    // Without scripts: `prepack` would build `dist` anew under the feet of the other tests.
    const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
    const { stdout } = await run("npm", pack, { cwd: REPOSITORY });
    await run("tar", ["-xzf", join(folder, stdout.trim().split("\n").at(-1) ?? ""), "-C", modules]);
    await rename(join(modules, "package"), join(modules, "chanctl"));
    await symlink(join(REPOSITORY, "node_modules", "@types"), join(modules, "@types"), "junction");
    const files = { "chat.mts": CHAT, "server.mts": SERVER, "page.mts": PAGE, "common.cts": COMMON_JS };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Compiles, and gives what the compiler has to say. */
  async function compile(...args: readonly string[]): Promise<string> {
    const tsc = join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
    const compiling = run(process.execPath, [tsc, ...STRICT, ...args], { cwd: folder });
    return compiling.then(
      () => "",
      (failed: { readonly stdout: string }) => failed.stdout,
    );
  }

  describe.each([
    ["bundler", "esnext"],
    ["node16", "node16"],
    ["nodenext", "nodenext"],
  ])("with `moduleResolution: %s`", (moduleResolution, module) => {
    const resolve = ["--target", "es2022", "--moduleResolution", moduleResolution, "--module", module];

    it.each(["true", "false"])("fit an app with `exactOptionalPropertyTypes: %s`", async (exact) => {
      const options = [...resolve, "--types", "node", "--exactOptionalPropertyTypes", exact];
      expect(await compile(...options, "server.mts")).toBe("");
    });

    it("fit a page, which has the DOM and none of Node's types", async () => {
      expect(await compile(...resolve, "--lib", "es2022,dom", "--types", "", "page.mts")).toBe("");
    });
  });

  it("fit a CommonJS module where `require` takes ES modules, and name `import()` where it does not", async () => {
    const types = ["--target", "es2022", "--types", "node", "common.cts"];
    expect(await compile("--module", "nodenext", ...types)).toBe("");
    expect(await compile("--module", "node16", ...types)).toContain('import("chanctl")');
  });

  it("keep their word to `require`", async () => {
    const code = 'process.stdout.write(typeof require("chanctl").defineChannel)';
    const { stdout } = await run(process.execPath, ["--input-type=commonjs", "--eval", code], {
      cwd: folder,
    });
    expect(stdout).toBe("function");
  });
});

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";

import { channelText } from "../support/channel-text.ts";
import { createProject, eventually, openRegistry, PUBLIC, version } from "./temp-project.ts";

/** Below what it serves, whose places stay as they are written. */
const IMPORT_BELOW = '\nimport { defineChannel } from "chanctl";\n';

describe("a definition file", () => {
  it("gives the static part; functions are only known to be there", async () => {
    const project = createProject({
      "channels/chat.ts": `
        import { defineChannel } from "chanctl";
        const transport: "ws" | "sse" = "ws";
        export default defineChannel({
          transport,
          paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
          messages: { message: { type: "object" } },
          auth: { headerName: "Authorization" },
          async verify() { return { ok: true }; },
          onPublish({ message }: { message: unknown }) { return message; },
          replayWindowMs: 1_000,
        });`,
    });
    const { registry } = await openRegistry(project);
    expect(registry.get("chat")?.definition).toMatchObject({
      name: "chat",
      transport: "ws",
      messages: { message: { type: "object" } },
      auth: { headerName: "authorization" },
      public: false,
      onPublish: true,
      lifecycle: { replayWindowMs: 1_000 },
    });
    expect(registry.failures).toEqual([]);
  });

  it("may be JSON, JavaScript, or a compiled CommonJS module", async () => {
    const project = createProject({
      "channels/python.json": '{ "auth": { "cookieName": "session" }, "onPublish": true }',
      "channels/plain.mjs": PUBLIC,
      "channels/compiled.js":
        'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = require("chanctl").defineChannel({ public: true });',
    });
    const { registry } = await openRegistry(project);
    expect(registry.failures).toEqual([]);
    expect(registry.entries().map(({ name, file }) => [name, file])).toEqual([
      ["compiled", "channels/compiled.js"],
      ["plain", "channels/plain.mjs"],
      ["python", "channels/python.json"],
    ]);
    expect(registry.get("python")?.definition).toMatchObject({
      onPublish: true,
      auth: { cookieName: "session" },
    });
  });

  it("are none where there is no folder, which is told of only if the settings name another than `channels`", async () => {
    const project = createProject();
    expect((await openRegistry(project)).logged).toEqual([]);
    const { registry, logged } = await openRegistry(project, { folder: project.path("chanels") });
    expect(registry.entries()).toEqual([]);
    expect(logged).toMatchObject([
      {
        level: "warn",
        event: "channels-missing",
        fields: { hint: expect.stringMatching(/^mkdir -p .*chanels /) },
      },
    ]);
  });

  it("leave out no function that stands for a message's schema, or for a name", async () => {
    const project = createProject({
      "channels/a.js": channelText("{ public: true, messages: { chat: () => true } }"),
      "channels/b.js": channelText("{ auth: { headerName: () => 'x' }, verify() {} }"),
    });
    const { registry } = await openRegistry(project);
    expect(registry.failures.map(({ message }) => message.split("\n")[0])).toEqual([
      expect.stringContaining("`messages.chat` must be a JSON Schema, got a function"),
      expect.stringContaining("`auth.headerName` must be a header or cookie name, got a function"),
    ]);
  });

  it("take a function only for `verify` and `onPublish`: no other lets everybody in", async () => {
    const project = createProject({
      "channels/closed.js": channelText("{ public: () => false }"),
      "channels/open.js": channelText("{ auth: { headerName: 'x' }, verify() {}, onPublish() {} }"),
    });
    const { registry } = await openRegistry(project);
    expect(registry.get("open")?.definition).toMatchObject({ public: false, onPublish: true });
    expect(registry.get("closed")).toBeUndefined();
    expect(registry.failures).toMatchObject([
      { message: expect.stringContaining("`public` must be true or false, got a function\n") },
    ]);
  });

  it("imports packages from the project, its own files, and knows where each is", async () => {
    const project = createProject({
      "node_modules/limits/package.json": '{ "name": "limits", "type": "module", "exports": "./index.js" }',
      "node_modules/limits/index.js": "export const maxMessages = 7;",
      "channels/chat.ts": `
        import { maxMessages } from "limits";
        import { readFileSync } from "node:fs";
        import { maxBytes } from "../src/deep/settings.ts";
        const here = readFileSync(new URL("./_note.txt", import.meta.url), "utf8");
        ${channelText('{ public: here === "here", maxMessages, maxBytes }')}`,
      "channels/_note.txt": "here",
      "src/deep/settings.ts": `
        import { join } from "node:path";
        import { readFileSync } from "node:fs";
        export const maxBytes = Number(readFileSync(join(import.meta.dirname, "bytes.txt"), "utf8"));`,
      "src/deep/bytes.txt": "99",
    });
    const { registry } = await openRegistry(project);
    expect(registry.failures).toEqual([]);
    expect(registry.get("chat")?.definition.lifecycle).toMatchObject({ maxMessages: 7, maxBytes: 99 });
  });

  it("is loaded in the project's folder, with the environment that is given", async () => {
    const project = createProject({
      "channels/chat.ts": channelText(
        "{ public: true, maxMessages: Number(process.env.MAX), maxBytes: process.cwd().length }",
      ),
    });
    const { registry } = await openRegistry(project, { env: { ...process.env, MAX: "12" } });
    expect(registry.get("chat")?.definition.lifecycle).toMatchObject({
      maxMessages: 12,
      maxBytes: project.root.length,
    });
  });

  it("may open handles that never close, and leaves no process", async () => {
    const project = createProject({
      "channels/chat.ts": `
        import { writeFileSync } from "node:fs";
        writeFileSync("pid", String(process.pid));
        setInterval(() => {}, 1_000);
        ${PUBLIC}`,
    });
    const { registry } = await openRegistry(project);
    expect(registry.get("chat")).toBeDefined();
    const pid = Number(readFileSync(project.path("pid"), "utf8"));
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
    expect(readdirSync(project.path(".chanctl/definitions"))).toEqual([]);
  });

  it("leaves no process when the broker is killed while it loops", async () => {
    const project = createProject({
      "channels/chat.ts": `
        import { writeFileSync } from "node:fs";
        writeFileSync("pid", String(process.pid));
        for (;;) {}
        ${PUBLIC}`,
      "broker.mjs": `
        import { Registry } from ${JSON.stringify(new URL("../../dist/registry/registry.js", import.meta.url).href)};
        const root = import.meta.dirname;
        await Registry.open({ root, folder: root + "/channels", cacheFolder: root + "/.chanctl", env: process.env,
          logger() {}, watch: false, limits: { maxParamsBytes: 1 }, loadTimeoutMs: 3_600_000 });`,
    });
    const broker = spawn(process.execPath, [project.path("broker.mjs")], { stdio: "ignore" });
    onTestFinished(() => void broker.kill("SIGKILL"));
    const readPid = (): number => Number(readFileSync(project.path("pid"), "utf8"));
    await eventually(() => expect(readPid()).toBeGreaterThan(0));
    broker.kill("SIGKILL");
    const pid = readPid();
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
  });

  it("may have a connection that fails while others load", async () => {
    const project = createProject({
      "channels/a.ts": `void Promise.reject(new Error("no database")); ${PUBLIC}`,
      "channels/b.ts": `setTimeout(() => { throw new Error("no database"); }); ${PUBLIC}`,
      "channels/c.ts": `await new Promise((resolve) => setTimeout(resolve, 50)); ${PUBLIC}`,
    });
    const { registry } = await openRegistry(project);
    expect(registry.failures).toEqual([]);
  });

  it("cannot forge a report by what it writes or sends", async () => {
    const forged = `{"kind":"loaded","file":"x","stamps":{},"definition":{"public":true}}`;
    const project = createProject({
      "channels/chat.ts": `
        console.log(${JSON.stringify(forged)});
        process.send?.({ kind: "loaded", file: import.meta.filename, stamps: {}, definition: { public: true } });
        process.send?.("ready");
        ${channelText('{ auth: { cookieName: "session" }, verify() {} }')}`,
    });
    const { registry } = await openRegistry(project);
    expect(registry.get("chat")?.definition.public).toBe(false);
  });
});

describe("a broken definition", () => {
  it("points at the definition whose meaning is wrong", async () => {
    const text = `// a chat\n${channelText("{\n  transprt: 1,\n}")}`;
    const { registry } = await openRegistry(createProject({ "channels/chat.ts": text }));
    const message = registry.failures[0]?.message;
    expect(message).toContain("channels/chat.ts:4:3: unknown key `transprt`\n\n");
    expect(message).toContain(
      "  3 | export default defineChannel({\n> 4 |   transprt: 1,\n    |   ^^^^^^^^\n",
    );
  });

  it.each([
    ["once, in quotes", 'export default defineChannel({ public: true, "transprt": 1 });', "1:47"],
    ["at several places", "export default defineChannel({ transprt: 1, auth: { transprt: 1 } });", "1:1"],
    ["nowhere", 'const key = "trans" + "prt";\nexport default defineChannel({ [key]: 1 });', "2:1"],
  ])("points at an unknown key only where it surely stands: %s", async (_, text, place) => {
    const { registry } = await openRegistry(createProject({ "channels/chat.js": text + IMPORT_BELOW }));
    expect(registry.failures[0]?.message).toContain(`channels/chat.js:${place}: unknown key`);
  });

  it.each([
    ["a text", 'export default defineChannel({ public: true, transport: "wss" });', "1:57"],
    ["of a key in quotes", 'export default defineChannel({ public: true, "transport":\n  "wss" });', "2:3"],
    ["an object", "export default defineChannel({ public: true, messages: [] });", "1:56"],
    ["within another", "export default defineChannel({ auth: { headerName: 3 } });", "1:52"],
    [
      "a name",
      "const text = 5;\nexport default defineChannel({ public: true, messages: { text } });",
      "2:58",
    ],
    ["of a method", "export default defineChannel({ public: true, messages() {} });", "1:46"],
    [
      "behind a variable: the key around it",
      "const types = { text: 5 };\nexport default defineChannel({ public: true, messages: types });",
      "2:56",
    ],
    [
      "written at several places: the key around it",
      'const verify = () => {};\nexport default defineChannel({ verify, transport: "ws", messages: { transport: 5 } });',
      "2:67",
    ],
    [
      "nowhere",
      "const rest = { messages: [] };\nexport default defineChannel({ public: true, ...rest });",
      "2:1",
    ],
  ])("points at a wrong value: %s", async (_, text, place) => {
    const { registry } = await openRegistry(createProject({ "channels/chat.js": text + IMPORT_BELOW }));
    expect(registry.failures[0]?.message).toContain(`channels/chat.js:${place}: `);
  });

  it("is shown with a code frame, and the others load", async () => {
    const project = createProject({
      "channels/chat.ts": "export default {\n  public: true,\n  transport: = 'ws',\n};\n",
      "channels/good.ts": PUBLIC,
    });
    const { registry, logged } = await openRegistry(project);
    const message = [
      'channels/chat.ts:3:14: Unexpected "="',
      "",
      "  1 | export default {",
      "  2 |   public: true,",
      "> 3 |   transport: = 'ws',",
      "    |              ^",
      "  4 | };",
      "  5 |",
    ].join("\n");
    expect(registry.failures.map((error) => [error.code, error.exitCode, error.message])).toEqual([
      ["definition_invalid", 3, message],
    ]);
    expect(logged).toMatchObject([{ level: "error", event: "definition-error", message }]);
    expect(registry.get("chat")).toBeUndefined();
    expect(registry.get("good")).toBeDefined();
  });

  it("of JSON is shown with a code frame too", async () => {
    const project = createProject({ "channels/chat.json": '{\n  "public": true,\n  "transport" "ws"\n}\n' });
    const { registry } = await openRegistry(project);
    expect(registry.failures[0]?.message).toContain("channels/chat.json:3:15: ");
    expect(registry.failures[0]?.message).toContain('> 3 |   "transport" "ws"\n    |               ^^^^\n');
  });

  it("that throws is shown at the line of TypeScript that threw, with what it wrote", async () => {
    const project = createProject({
      "channels/chat.ts": `import { limit } from "../src/limit.ts";\n${channelText("{ public: true, maxMessages: limit() }")}`,
      "src/limit.ts": [
        "interface Unused { readonly a: string }",
        "",
        "export function limit(): number {",
        "  console.error('LIMIT is not set');",
        "  throw new RangeError(`no limit`);",
        "}",
      ].join("\n"),
    });
    const { registry } = await openRegistry(project);
    const message = registry.failures[0]?.message ?? "";
    expect(message).toContain("src/limit.ts:5:9: RangeError: no limit\n");
    expect(message).toContain("> 5 |   throw new RangeError(`no limit`);\n    |         ^\n");
    expect(message).toContain("It wrote:\n  LIMIT is not set");
  });

  it.each([
    [
      "export const chat = {};",
      "channels/chat.ts: the default export must be a channel that `defineChannel` has made, got nothing",
    ],
    [
      "const rows = [\n  5,\n];\n{\n}\nexport default { public: true };",
      "channels/chat.ts:6:1: the default export must be a channel that `defineChannel` has made, got an object with `public`",
    ],
    [
      "export default { ...defineChannel({ public: true }) };",
      "channels/chat.ts:1:1: the default export must be a channel that `defineChannel` has made, got an object with `public`",
    ],
    [
      "export default () => defineChannel({ public: true });",
      "channels/chat.ts:1:1: the default export must be a channel that `defineChannel` has made, got a function",
    ],
    [
      "export default Promise.resolve(defineChannel({ public: true }));",
      "channels/chat.ts:1:1: the default export must be a channel that `defineChannel` has made, got an instance of `Promise`",
    ],
    [
      "exports.default = { public: true };",
      "channels/chat.ts:1:1: the default export must be a channel that `defineChannel` has made, got an object with `default`",
    ],
    [
      "export default defineChannel({ public: true, maxMessages: -1 });",
      "channels/chat.ts:1:59: `maxMessages` must be",
    ],
    [
      "export default defineChannel({ public: true, messages: { a: 1n } });",
      "channels/chat.ts must be plain JSON and functions",
    ],
    [
      "export default defineChannel({ public: true, messages: { a: { type: 'x' } } });",
      "channels/chat.ts:1:61: `messages.a` is not a schema",
    ],
    [
      "import 'not-there'; export default {};",
      "channels/chat.ts: Error: Cannot find package 'not-there' imported from channels/chat.ts",
    ],
    ["throw 'a text'; export default {};", "channels/chat.ts: a text"],
  ])("%j says what is wrong, with a fix", async (text, message) => {
    const source = text.includes("defineChannel") ? text + IMPORT_BELOW : text;
    const { registry } = await openRegistry(createProject({ "channels/chat.ts": source }));
    expect(registry.failures[0]?.hint).toMatch(/./);
    expect(registry.failures.map((error) => error.message.split("\n")[0])).toEqual([
      expect.stringContaining(message),
    ]);
  });

  it.each(["[]", '"ws"', "null"])("in JSON that is %s says that it must be an object", async (text) => {
    const { registry } = await openRegistry(createProject({ "channels/chat.json": text }));
    expect(registry.failures).toMatchObject([
      {
        message: `channels/chat.json: a definition must be an object, got \`${text}\``,
        hint: expect.stringContaining('{ "public": true }'),
      },
    ]);
  });

  it("that hangs is given up after its time, and the others load", async () => {
    const project = createProject({
      "channels/a.ts": PUBLIC,
      "channels/hangs.ts": `console.log("waiting"); for (;;) {} ${PUBLIC}`,
      "channels/waits.ts": `await new Promise(() => {}); ${PUBLIC}`,
      "channels/z.ts": PUBLIC,
    });
    const { registry } = await openRegistry(project, { loadTimeoutMs: 4_000 });
    expect(registry.entries().map(({ name, error }) => [name, error?.message.split("\n")[0]])).toEqual([
      ["a", undefined],
      ["hangs", "channels/hangs.ts: importing it did not end within 4 s"],
      ["waits", "channels/waits.ts: importing it did not end within 4 s"],
      ["z", undefined],
    ]);
    expect(registry.entries()[1]?.error?.message).toContain("It wrote:\n  waiting");
  });

  it("that ends its process is found, and the others load", async () => {
    const project = createProject({
      "channels/a.ts": PUBLIC,
      "channels/exits.ts": `console.log("no license"); process.exit(1); ${PUBLIC}`,
      "channels/killed.ts": `process.kill(process.pid, "SIGKILL"); await new Promise(() => {}); ${PUBLIC}`,
      "channels/z.ts": PUBLIC,
    });
    const { registry } = await openRegistry(project);
    expect(registry.entries().map(({ name, error }) => [name, error?.message])).toEqual([
      ["a", undefined],
      ["exits", expect.stringContaining("channels/exits.ts: importing it ended the process")],
      ["killed", expect.stringContaining("channels/killed.ts: importing it ended the process")],
      ["z", undefined],
    ]);
    expect(registry.entries()[1]?.error?.message).toContain("It wrote:\n  no license");
  });

  it("is not blamed for what an earlier one did", async () => {
    const project = createProject({
      "channels/a.ts": `setInterval(() => globalThis.isNext && process.exit(1), 1); ${PUBLIC}`,
      "channels/b.ts": `globalThis.isNext = true; await new Promise((resolve) => setTimeout(resolve, 200)); ${PUBLIC}`,
    });
    const { registry } = await openRegistry(project);
    expect(registry.failures).toEqual([]);
  });

  it("of two files is told of both", async () => {
    const project = createProject({ "channels/chat.ts": PUBLIC, "channels/chat.json": '{ "public": true }' });
    const { registry } = await openRegistry(project);
    expect(registry.failures.map(({ message }) => message)).toEqual([
      "two files define the channel `chat`: channels/chat.json and channels/chat.ts",
    ]);
    expect(registry.get("chat")).toBeUndefined();
  });

  it.each(["Chat.ts", "my chat.ts", "messages.ts", "game/authorize.ts"])(
    "named %s says the rule",
    async (file) => {
      const { registry } = await openRegistry(createProject({ [`channels/${file}`]: PUBLIC }));
      expect(registry.failures[0]?.message).toMatch(/^channels\/.*: the channel's name `.*` (must be|uses)/);
    },
  );

  it("is told where the cache folder cannot be written", async () => {
    const project = createProject({ "channels/chat.ts": PUBLIC, ".chanctl": "a file" });
    const { registry } = await openRegistry(project);
    expect(registry.failures[0]?.message).toContain("channel definitions cannot be loaded");
  });
});

it("refuses to open where the folder cannot be read", async () => {
  const project = createProject();
  symlinkSync("channels", project.path("channels")); // a loop
  await expect(openRegistry(project)).rejects.toMatchObject({ code: "definition_invalid" });
});

it("opens without a folder", async () => {
  const project = createProject();
  const { registry } = await openRegistry(project);
  expect(registry.entries()).toEqual([]);
  expect(existsSync(project.path(".chanctl"))).toBe(false);
});

it("suggests the live channel that was probably meant", async () => {
  const project = createProject({ "channels/chat.ts": PUBLIC, "channels/chap.ts": "broken(" });
  const { registry } = await openRegistry(project);
  expect(registry.suggest("chta")).toBe("chat");
  expect(registry.suggest("weather")).toBeUndefined();
  expect(registry.suggest("c".repeat(100_000))).toBeUndefined();
});

it("does not load again without `watch`, and closes twice", async () => {
  const project = createProject({ "channels/chat.ts": version(1) });
  const { registry, logged } = await openRegistry(project);
  project.write("channels/chat.ts", version(2));
  await registry.close();
  await registry.close();
  expect(registry.get("chat")?.definition.lifecycle.maxMessages).toBe(1);
  expect(logged).toEqual([]);
});

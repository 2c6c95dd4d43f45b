import { renameSync, symlinkSync, unlinkSync } from "node:fs";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";

import { channelText } from "../support/channel-text.ts";
import { createProject, eventually, expectVersion, openRegistry, PUBLIC, version } from "./temp-project.ts";
import type { OpenedRegistry, TempProject } from "./temp-project.ts";

function openWatching(project: TempProject, options = {}): Promise<OpenedRegistry> {
  return openRegistry(project, { watch: true, ...options });
}

describe("a watching registry", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("sees what the system does not tell of, as from a network drive", async () => {
    vi.stubEnv("CHOKIDAR_USEPOLLING", "true"); // in place of the system's events
    vi.stubEnv("CHOKIDAR_INTERVAL", "600000"); // never
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry } = await openWatching(project);
    await sleep(500); // until the look that follows a load is over
    project.write("channels/chat.ts", version(2));
    project.write("channels/game/moves.ts", PUBLIC);
    await eventually(() => expectVersion(registry, "chat", 2));
    await eventually(() => expect(registry.get("game/moves")).toBeDefined());
    await sleep(500);
    project.remove("channels/chat.ts");
    await eventually(() => expect(registry.get("chat")).toBeUndefined());
  });

  it("takes over a saved definition and says what of it has changed", async () => {
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry, changes, logged } = await openWatching(project);
    const before = registry.get("chat");
    project.write("channels/chat.ts", version(2));
    await eventually(() => expectVersion(registry, "chat", 2));
    expect(changes).toEqual([
      {
        kind: "changed",
        name: "chat",
        before,
        after: registry.get("chat"),
        changed: {
          transport: false,
          params: false,
          auth: false,
          messages: false,
          onPublish: false,
          lifecycle: true,
        },
      },
    ]);
    expect(logged).toMatchObject([
      { level: "info", event: "reload", fields: { channel: "chat", change: "changed" } },
    ]);
  });

  it.each([
    ["transport", 'transport: "ws", public: true'],
    ["params", 'public: true, paramsSchema: { type: "object", properties: { room: { type: "string" } } }'],
    ["auth", 'auth: { cookieName: "session" }'],
    ["messages", "public: true, messages: { note: { type: 'string' } }"],
    ["onPublish", "public: true, onPublish() {}"],
  ])("names a change of %s as such", async (part, definition) => {
    const project = createProject({ "channels/chat.ts": PUBLIC });
    const { changes } = await openWatching(project);
    project.write("channels/chat.ts", channelText(`{ ${definition} }`));
    await eventually(() => expect(changes).toHaveLength(1));
    const [change] = changes;
    const changed = change?.kind === "changed" ? Object.entries(change.changed) : [];
    expect(changed.filter(([, differs]) => differs).map(([key]) => key)).toEqual([part]);
  });

  it("takes over what was saved with a definition that hangs, and does not wait for that", async () => {
    const names = ["a", "b", "c", "d"];
    const project = createProject(
      Object.fromEntries(names.map((name) => [`channels/${name}.ts`, version(1)])),
    );
    const { registry, logged } = await openWatching(project, { loadTimeoutMs: 60_000 });
    project.write("channels/a.ts", version(2));
    project.write("channels/b.ts", "await new Promise(() => setInterval(() => {}, 1_000));\n" + version(2));
    for (const name of ["c", "d"]) project.write(`channels/${name}.ts`, version(2));
    await eventually(() => {
      for (const name of ["a", "c", "d"]) expectVersion(registry, name, 2);
    });
    expectVersion(registry, "b", 1);
    expect(logged.map(({ event }) => event)).not.toContain("definition-error");
    project.write("channels/b.ts", version(3));
    await eventually(() => expectVersion(registry, "b", 3));
  });

  it("tells of a save that changes nothing of the definition as a save only", async () => {
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry, changes, logged } = await openWatching(project);
    const saved: string[] = [];
    registry.onFileChange(({ kind, name, file }) => saved.push(`${kind} ${name} ${file}`));
    project.write("channels/chat.ts", `// a comment\n${version(1)}`);
    await eventually(() =>
      expect(logged).toMatchObject([{ event: "reload", fields: { change: "unchanged" } }]),
    );
    expect(logged[0]?.message).toMatch(/^channel chat saved, read in \d.*: unchanged for the broker$/);
    expect(changes).toEqual([]);
    expect(saved).toEqual(["saved chat channels/chat.ts"]);
  });

  it("adds, renames and removes", async () => {
    const project = createProject();
    const { registry, changes } = await openWatching(project);
    project.write("channels/game/moves.ts", PUBLIC);
    await eventually(() => expect(changes).toMatchObject([{ kind: "added", name: "game/moves" }]));
    renameSync(project.path("channels/game"), project.path("channels/chess"));
    await eventually(() => expect(changes).toHaveLength(3));
    expect(
      changes
        .slice(1)
        .map(({ kind, name }) => `${kind} ${name}`)
        .sort(),
    ).toEqual(["added chess/moves", "removed game/moves"]);
    project.remove("channels/chess/moves.ts");
    await eventually(() =>
      expect(changes.slice(3)).toMatchObject([{ kind: "removed", name: "chess/moves" }]),
    );
    expect(registry.entries()).toEqual([]);
  });

  it("keeps the last good definition while the file is broken, and says so", async () => {
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry, changes, logged } = await openWatching(project);
    project.write("channels/chat.ts", "export default {\n  public: tru e,\n};\n");
    await eventually(() => expect(registry.failures).toHaveLength(1));
    expectVersion(registry, "chat", 1);
    expect(changes).toEqual([]);
    expect(logged).toMatchObject([{ event: "definition-error", level: "error" }]);
    expect(logged[0]?.message).toContain(">");
    expect(logged[0]?.message).toContain("The channel chat stays live as it was last good.");
    expect(registry.entries()[0]?.definition).toBeDefined();

    project.write("channels/chat.ts", version(2));
    await eventually(() => expectVersion(registry, "chat", 2));
    expect(registry.failures).toEqual([]);
    expect(logged.slice(1)).toMatchObject([{ event: "reload", fields: { durationMs: expect.any(Number) } }]);

    project.write("channels/chat.ts", "export default {");
    await eventually(() => expect(registry.failures).toHaveLength(1));
    project.write("channels/chat.ts", version(2));
    await eventually(() => expect(logged.at(-1)?.message).toMatch(/^channel chat loads again in \d/));
  });

  it("tells of a file that is gone, with the time, also of one that never loaded", async () => {
    const project = createProject({ "channels/chat.ts": PUBLIC, "channels/bad.ts": "export default {" });
    const { registry, logged } = await openWatching(project);
    const gone: unknown[] = [];
    registry.onFileChange((change) => gone.push(change));
    const base = { kind: "removed", name: "bad", file: "channels/bad.ts" };
    const told = logged.length;
    project.remove("channels/bad.ts");
    await eventually(() => expect(gone).toEqual([{ ...base, before: undefined, wasBroken: true }]));
    project.remove("channels/chat.ts");
    await eventually(() => expect(gone).toHaveLength(2));
    expect(gone[1]).toMatchObject({ name: "chat", before: { name: "chat" }, wasBroken: false });
    for (const [index, name] of ["bad", "chat"].entries()) {
      const fields = { channel: name, change: "removed", durationMs: expect.any(Number) as unknown };
      expect(logged[told + index]).toMatchObject({ event: "reload", fields });
      expect(logged[told + index]?.message).toMatch(new RegExp(`^channel ${name} removed in \\d`));
    }
  });

  it("loads a definition again when a file that it imports is saved, wherever that is", async () => {
    const project = createProject({
      "channels/chat.ts": `import { a } from "./_shared.ts"; import { b } from "../src/lib/schema.ts";\n${channelText("{ public: true, maxMessages: a, maxBytes: b }")}`,
      "channels/other.ts": PUBLIC,
      "channels/_shared.ts": "export const a = 1;",
      "src/lib/schema.ts": 'import data from "./data.json"; export const b = data.b;',
      "src/lib/data.json": '{ "b": 1 }',
    });
    const { registry, logged } = await openWatching(project);
    const lifecycle = (): unknown => registry.get("chat")?.definition.lifecycle;
    expect(lifecycle()).toMatchObject({ maxMessages: 1, maxBytes: 1 });
    project.write("channels/_shared.ts", "export const a = 2;");
    await eventually(() => expect(lifecycle()).toMatchObject({ maxMessages: 2, maxBytes: 1 }));
    project.write("src/lib/data.json", '{ "b": 2 }');
    await eventually(() => expect(lifecycle()).toMatchObject({ maxMessages: 2, maxBytes: 2 }));
    project.remove("src/lib");
    await eventually(() => expect(registry.failures).toHaveLength(1));
    project.write("src/lib/schema.ts", "export const b = 3;");
    await eventually(() => expect(lifecycle()).toMatchObject({ maxMessages: 2, maxBytes: 3 }));
    project.write("src/lib/schema.ts", "export const b = 4;");
    await eventually(() => expect(lifecycle()).toMatchObject({ maxMessages: 2, maxBytes: 4 }));
    expect(logged.filter(({ fields }) => fields?.["channel"] === "other")).toEqual([]);
  });

  it("recovers when an imported file that was not there is made", async () => {
    const project = createProject({
      "channels/chat.ts": `import { a } from "../src/made-later.js";\n${channelText("{ public: true, maxMessages: a }")}`,
    });
    const { registry } = await openWatching(project);
    expect(registry.failures[0]?.message).toContain("channels/chat.ts:1:19: Could not resolve");
    project.write("src/made-later.js", "export const a = 3;");
    await eventually(() => expectVersion(registry, "chat", 3));
  });

  it.each(["", "workspace/"])("recovers when its packages are installed in %j", async (workspace) => {
    const project = createProject({
      "package.json": "{}",
      [`${workspace && "workspace/web/"}channels/chat.ts`]: `import { n } from "@some/package/n";\n${channelText("{ public: true, maxMessages: n }")}`,
    });
    if (workspace !== "") project.write("workspace/package.json", "{}");
    const root = workspace === "" ? project.root : project.path("workspace/web");
    const { registry, logged } = await openWatching({ ...project, root });
    const install = (name: string, source: string): void => {
      project.write(`${workspace}node_modules/${name}/n.js`, source);
      const manifest = { name, type: "module", exports: { "./n": "./n.js" } };
      project.write(`${workspace}node_modules/${name}/package.json`, JSON.stringify(manifest));
    };
    expect(registry.failures[0]?.hint).toMatch(/^npm install @some\/package {5}/);
    install("@some/package", 'export { n } from "its-own/n";');
    await eventually(() => expect(logged.at(-1)?.message).toContain("its-own"));
    install("its-own", "export const n = 5;");
    project.write(`${workspace}node_modules/.package-lock.json`, "{}"); // as npm does at the end
    await eventually(() => expectVersion(registry, "chat", 5));
  });

  it("tries once more what is broken when it is told to, and nothing else", async () => {
    const project = createProject({
      "channels/chat.ts": `import { existsSync } from "node:fs";\nif (!existsSync("go")) throw new Error("not yet");\n${version(1)}`,
      "channels/fine.ts": version(1),
    });
    const { registry, changes, logged } = await openWatching(project);
    registry.retry();
    await eventually(() => expect(logged).toHaveLength(2));
    project.write("go", "");
    registry.retry();
    await eventually(() => expectVersion(registry, "chat", 1));
    expect(changes).toMatchObject([{ kind: "added", name: "chat" }]);
    expect(logged.filter(({ fields }) => fields?.["channel"] === "fine")).toEqual([]);
  });

  it("takes a file that is saved by renaming over it, again and again", async () => {
    const project = createProject({ "channels/chat.ts": version(0) });
    const { registry, changes } = await openWatching(project);
    for (let number = 1; number <= 5; number += 1) {
      project.write("channels/.chat.ts.tmp", version(number));
      renameSync(project.path("channels/.chat.ts.tmp"), project.path("channels/chat.ts"));
      await eventually(() => expectVersion(registry, "chat", number));
    }
    expect(changes.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => "changed"));
  });

  it("sees no removal where a file is removed and written anew at once", async () => {
    const project = createProject({ "channels/chat.ts": version(0) });
    const { registry, changes } = await openWatching(project);
    for (let number = 1; number <= 5; number += 1) {
      project.remove("channels/chat.ts");
      await immediate();
      project.write("channels/chat.ts", version(number));
      await eventually(() => expectVersion(registry, "chat", number));
    }
    expect(changes.map(({ kind }) => kind)).not.toContain("removed");
  });

  it("sees no removal in a look that comes in the middle of a save", async () => {
    const project = createProject({ "channels/chat.ts": version(0), "channels/other.ts": version(0) });
    const { registry, changes } = await openWatching(project);
    for (let number = 1; number <= 5; number += 1) {
      project.write("channels/other.ts", version(number));
      await sleep(20); // now a look is due
      await immediate();
      project.remove("channels/chat.ts");
      const overdue = performance.now() + 100;
      while (performance.now() < overdue);
      await immediate(); // the look is a timer, and those come first; the event of the removal comes after it
      project.write("channels/chat.ts", version(number));
      await eventually(() => expectVersion(registry, "chat", number));
      await eventually(() => expectVersion(registry, "other", number));
    }
    expect(changes.map(({ kind }) => kind)).not.toContain("removed");
  });

  it("survives its folder being deleted and made again", async () => {
    const files = ["channels/chat.ts", "channels/game/moves.ts"];
    const project = createProject();
    const writeAll = (number: number): void => files.forEach((file) => project.write(file, version(number)));
    writeAll(0);
    const { registry, changes } = await openWatching(project);
    for (let number = 1; number <= 12; number += 2) {
      project.remove("channels");
      // In every second round its removal is noticed, in the others it is back before anybody can look.
      if (number % 4 === 1) await eventually(() => expect(registry.entries()).toEqual([]));
      for (const next of [number, number + 1]) {
        writeAll(next);
        await eventually(() => {
          expectVersion(registry, "chat", next);
          expectVersion(registry, "game/moves", next);
        });
        await sleep(150); // past the look that follows each load: from here on only the watch can know
      }
    }
    expect(changes.filter(({ kind }) => kind === "removed")).toHaveLength(6);
  });

  it("keeps its channels while the whole folder is away for a moment", async () => {
    const project = createProject({ "channels/chat.ts": version(0), "channels/news.ts": version(0) });
    const { registry, changes } = await openWatching(project);
    project.remove("channels");
    await sleep(400); // longer than a look and the second one that a removal takes
    expectVersion(registry, "chat", 0);
    project.write("channels/chat.ts", version(1));
    await sleep(200); // a checkout that takes its time between two files
    project.write("channels/news.ts", version(1));
    await eventually(() => expectVersion(registry, "chat", 1));
    await eventually(() => expectVersion(registry, "news", 1));
    expect(changes.map(({ kind }) => kind)).toEqual(["changed", "changed"]);
    project.remove("channels/news.ts");
    await eventually(() => expect(registry.get("news")).toBeUndefined());
    expectVersion(registry, "chat", 1);
  });

  it("survives its folder being moved away and back at once", async () => {
    const project = createProject({ "channels/chat.ts": version(0), "channels/game/moves.ts": version(0) });
    const { registry } = await openWatching(project);
    for (let number = 1; number <= 10; number += 1) {
      renameSync(project.path("channels"), project.path("away"));
      if (number % 2 === 0) await sleep(number * 10);
      renameSync(project.path("away"), project.path("channels"));
      await sleep(200); // past the look that this brings: from here on only the watch can know
      project.write("channels/chat.ts", version(number));
      await eventually(() => expectVersion(registry, "chat", number));
      project.write("channels/game/moves.ts", version(number));
      await eventually(() => expectVersion(registry, "game/moves", number));
    }
  });

  it.each([
    ["is written", (project: TempProject, text: string) => project.write("kept/chat.ts", text)],
    [
      "is replaced",
      (project: TempProject, text: string) => {
        project.write("kept/new", text);
        renameSync(project.path("kept/new"), project.path("kept/chat.ts"));
      },
    ],
  ])("loads a definition that is a link again when what it leads to %s", async (_, save) => {
    const project = createProject({ "channels/other.ts": PUBLIC, "kept/chat.ts": version(0) });
    symlinkSync(project.path("kept/chat.ts"), project.path("channels/chat.ts"));
    const { registry } = await openWatching(project);
    for (let number = 1; number <= 5; number += 1) {
      await sleep(200);
      save(project, version(number));
      await eventually(() => expectVersion(registry, "chat", number));
    }
    unlinkSync(project.path("kept/chat.ts"));
    await eventually(() => expect(registry.failures).toHaveLength(1));
    await sleep(200);
    save(project, version(6));
    await eventually(() => expectVersion(registry, "chat", 6));
    project.write("next/chat.ts", version(7));
    unlinkSync(project.path("channels/chat.ts"));
    symlinkSync("../next/chat.ts", project.path("channels/chat.ts"));
    await eventually(() => expectVersion(registry, "chat", 7));
    await sleep(200);
    project.write("next/chat.ts", version(8));
    await eventually(() => expectVersion(registry, "chat", 8));
  });

  it("survives the folder that its folder is in being replaced", async () => {
    const project = createProject({ "src/channels/chat.ts": version(1) });
    const { registry } = await openWatching(project, { folder: project.path("src/channels") });
    for (const number of [2, 3]) {
      project.write(`next/channels/chat.ts`, version(number));
      renameSync(project.path("src"), project.path(`old-${number}`));
      renameSync(project.path("next"), project.path("src"));
      await eventually(() => expectVersion(registry, "chat", number));
    }
    project.write("src/channels/chat.ts", version(4));
    await eventually(() => expectVersion(registry, "chat", 4));
  });

  it("loads once for a burst of writes", async () => {
    const project = createProject();
    const { registry, logged } = await openWatching(project);
    for (let number = 0; number < 40; number += 1) project.write(`channels/c${number}.ts`, version(number));
    await eventually(() => expect(registry.entries()).toHaveLength(40));
    await eventually(() => expect(logged).toHaveLength(40));
    expect(new Set(logged.map(({ fields }) => fields?.["change"]))).toEqual(new Set(["added"]));
  });

  it("goes on where a file or the folder cannot be read for a while", async () => {
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry, logged } = await openWatching(project);
    symlinkSync("loop.ts", project.path("channels/loop.ts"));
    await eventually(() => expect(registry.failures).toHaveLength(1));
    project.remove("channels");
    symlinkSync("channels", project.path("channels"));
    await eventually(() =>
      expect(logged.map(({ message }) => message)).toContainEqual(
        expect.stringContaining("are not reloaded"),
      ),
    );
    expectVersion(registry, "chat", 1);
    unlinkSync(project.path("channels"));
    project.write("channels/chat.ts", version(2));
    await eventually(() => expectVersion(registry, "chat", 2));
    expect(registry.failures).toEqual([]);
  });

  it("repairs a name that two files define when one of them goes", async () => {
    const project = createProject({ "channels/chat.ts": version(1) });
    const { registry } = await openWatching(project);
    project.write("channels/chat.json", '{ "public": true, "maxMessages": 2 }');
    await eventually(() => expect(registry.failures).toHaveLength(1));
    expectVersion(registry, "chat", 1);
    project.remove("channels/chat.ts");
    await eventually(() => expectVersion(registry, "chat", 2));
    expect(registry.failures).toEqual([]);
  });

  it("does not wait for a load that hangs when its file is saved again", async () => {
    const project = createProject({ "channels/chat.ts": version(1), "channels/other.ts": version(1) });
    const { registry, logged } = await openWatching(project, { loadTimeoutMs: 3_600_000 });
    project.write("channels/chat.ts", "import './_started.ts'; for (;;) {} export default {};");
    project.write(
      "channels/_started.ts",
      'import { writeFileSync } from "node:fs"; writeFileSync("started", "");',
    );
    await eventually(() => expect(project.has("started")).toBe(true));
    project.write("channels/other.ts", version(2));
    await eventually(() => expectVersion(registry, "other", 2));
    project.write("channels/chat.ts", version(2));
    await eventually(() => expectVersion(registry, "chat", 2));
    expect(logged.filter(({ event }) => event === "definition-error")).toEqual([]);
  });

  it("lets an older load never win over a newer one", async () => {
    const project = createProject({ "channels/chat.ts": version(1), "channels/other.ts": version(1) });
    const { registry, changes } = await openWatching(project);
    // One load of both: it goes on for the other's sake when the chat is saved again.
    project.write(
      "channels/chat.ts",
      `import { existsSync, writeFileSync } from "node:fs";
       writeFileSync("started", "");
       while (!existsSync("go-on")) await new Promise((resolve) => setTimeout(resolve, 5));
       ${version(2)}`,
    );
    project.write("channels/other.ts", version(2));
    await eventually(() => expect(project.has("started")).toBe(true));
    project.write("channels/chat.ts", version(3));
    await eventually(() => expectVersion(registry, "chat", 3));
    expectVersion(registry, "other", 1);
    project.write("go-on", "");
    await eventually(() => expectVersion(registry, "other", 2));
    expectVersion(registry, "chat", 3);
    expect(changes.map(({ name }) => name)).toEqual(["chat", "other"]);
  });

  it("closes during a load and tells nothing after", async () => {
    const project = createProject();
    const { registry, changes, logged } = await openWatching(project);
    project.write(
      "channels/chat.ts",
      `import { writeFileSync } from "node:fs"; writeFileSync("pid", String(process.pid)); for (;;) {} ${PUBLIC}`,
    );
    await eventually(() => expect(project.has("pid")).toBe(true));
    await Promise.all([registry.close(), registry.close()]);
    expect(changes).toEqual([]);
    expect(logged).toEqual([]);
    await registry[Symbol.asyncDispose]();
  });
});

import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { startDev } from "../commands/dev-project.ts";
import { requirePrograms } from "../support/requires.ts";
import { FamilyProject } from "./family-project.ts";
import type { Family } from "./family-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

type End = (project: FamilyProject, family: Family) => Promise<void> | void;

const ENDS: Readonly<Record<string, End>> = {
  "Ctrl-C": (project) => project.type("C-c"),
  "Ctrl-C twice": async (project, { pids }) => {
    await project.type("C-c");
    // The same key is only another one after a while: terminals and npm double it.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(pids.length).toBeGreaterThan(0);
    await project.type("C-c");
  },
  SIGTERM: (_, { terminal }) => void process.kill(terminal, "SIGTERM"),
  "a closed terminal": (project) => project.hangUp(),
  "kill -9": (_, { pid }) => void process.kill(pid, "SIGKILL"),
};
const ONCE = ["Ctrl-C", "SIGTERM", "a closed terminal", "kill -9"];
/** Nobody was left to take back the word of what ran; the next start does. */
const FORCED: ReadonlySet<string> = new Set(["Ctrl-C twice", "kill -9"]);
const CASES = [
  ...["dev --no-tls", "serve"].flatMap((command) => ONCE.map((end) => ({ command, end, app: "polite" }))),
  ...[...ONCE, "Ctrl-C twice"].map((end) => ({ command: "dev --no-tls", end, app: "stubborn" })),
];

// What is left is looked up in /proc; elsewhere test/app/supervisor.test.ts covers the app's group.
describe.skipIf(process.platform !== "linux")("leaves no process and no socket behind", () => {
  test.concurrent.for(CASES)("after $end of `$command` with a $app app", async (row, context) => {
    requirePrograms(context, "tmux", "npm");
    const { command, end, app } = row;
    await expectCleanEnd({ command: `${process.execPath} ${CLI} ${command} --port 0`, end, app });
  });

  test.concurrent.for(["Ctrl-C", "SIGTERM", "a closed terminal"])(
    "after %s of `npm exec`",
    async (end, context) => {
      requirePrograms(context, "tmux", "npm");
      await expectCleanEnd({ command: "npm exec -- chanctl dev --no-tls --port 0", end, app: "polite" });
    },
  );
});

async function expectCleanEnd(row: { command: string; end: string; app: string }): Promise<void> {
  await using project = await FamilyProject.make({ isStubborn: row.app === "stubborn" });
  const family = await project.start(row.command);
  expect(family.pids.length).toBeGreaterThanOrEqual(4); // chanctl, npm, node, its worker; and more by the shells
  expect(family.listeners.length).toBeGreaterThanOrEqual(3); // public, internal, the app's
  await ENDS[row.end]?.(project, family);
  await project.expectGone(family, { hasWord: FORCED.has(row.end) });
  const next = await startDev(project.folder);
  expect((await next.cli.end()).code).toBe(130);
}

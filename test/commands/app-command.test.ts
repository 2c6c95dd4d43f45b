import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { detectAppCommand } from "#src/commands/server/detect-app.ts";
import { joinShellWords } from "#src/commands/server/shell-words.ts";

import { makeProject } from "./temp-project.ts";

describe("detectAppCommand", () => {
  it.each([
    ["the script dev", { dev: "next dev", start: "next start" }, "npm run dev"],
    [
      "start, where dev is chanctl itself",
      { dev: "chanctl dev --open", start: "node server.js" },
      "npm run start",
    ],
    ["nothing, where each is chanctl", { dev: "npx chanctl dev", start: "chanctl serve" }, undefined],
    ["nothing, where there are no scripts", {}, undefined],
  ])("finds %s", async (_, scripts, expected) => {
    await using project = await makeProject({ "package.json": JSON.stringify({ scripts }) });
    expect(await detectAppCommand(project.root, { env: {} })).toBe(expected);
  });

  it("runs the script with the project's package manager", async () => {
    await using project = await makeProject({
      "package.json": '{"scripts":{"dev":"vite"}}',
      "pnpm-lock.yaml": "",
    });
    expect(await detectAppCommand(project.root, { env: {} })).toBe("pnpm run dev");
  });

  it.each([
    ["Django", { "manage.py": "" }, "python3 manage.py runserver"],
    [
      "Django in its virtual environment",
      { "manage.py": "", ".venv/bin/python": "" },
      ".venv/bin/python manage.py runserver",
    ],
    [
      "Rails, not the bundler beside it",
      { "bin/rails": "", "package.json": '{"scripts":{"dev":"vite"}}' },
      "bin/rails server",
    ],
    [
      "the script that starts both",
      { artisan: "", "package.json": '{"scripts":{"dev":"concurrently a b"}}' },
      "npm run dev",
    ],
  ])("finds %s", async (_, files, expected) => {
    await using project = await makeProject(files);
    expect(await detectAppCommand(project.root, { env: {} })).toBe(expected);
  });

  it("finds nothing in a broken package.json", async () => {
    await using project = await makeProject({ "package.json": "{" });
    expect(await detectAppCommand(project.root, { env: {} })).toBeUndefined();
  });
});

describe("joinShellWords", () => {
  it("leaves plain words as they are", () => {
    expect(joinShellWords(["next", "dev", "--port=3000"], "linux")).toBe("next dev --port=3000");
  });

  it("makes the shell see the same words again", async () => {
    const words = ["a b", "it's", '"$HOME"', "*", "", "x;y", "`id`", "\\n"];
    const script = "JSON.stringify(process.argv.slice(1))";
    const command = joinShellWords([process.execPath, "-p", script, "--", ...words], "linux");
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command]);
    expect(JSON.parse(stdout)).toEqual(words);
  });
});

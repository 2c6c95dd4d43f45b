import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadProjectName, toHostLabel } from "#src/certs/project-name.ts";
import { temporaryHome } from "./temporary-home.ts";

async function projectFolder(packageJson?: string, folder = "Old Shop"): Promise<string> {
  const root = join(await temporaryHome(), folder);
  await mkdir(root, { recursive: true });
  if (packageJson !== undefined) await writeFile(join(root, "package.json"), packageJson);
  return root;
}

describe("toHostLabel", () => {
  it.each([
    ["shop", "shop"],
    ["@acme/shop", "shop"],
    ["My Café_2", "my-cafe-2"],
    ["--a..b--", "a-b"],
    ["../../etc", "etc"],
    ["日本", "app"],
    ["", "app"],
  ])("makes of %j the label %j", (text, label) => {
    expect(toHostLabel(text)).toBe(label);
  });

  it("keeps `<label>.localhost` within a common name and never ends in a hyphen", () => {
    const label = toHostLabel(`${"a".repeat(53)}-${"b".repeat(50)}`);
    expect(label).toBe("a".repeat(53));
    expect(toHostLabel("x".repeat(300))).toHaveLength(54);
  });
});

describe("loadProjectName", () => {
  it("takes the name in package.json", async () => {
    expect(await loadProjectName(await projectFolder('{"name":"@acme/web-shop"}'))).toBe("web-shop");
  });

  it.each([undefined, "{}", "not json", '{"name":7}', "null", '{"name":"日本"}'])(
    "takes the folder's name where package.json is %j",
    async (packageJson) => {
      expect(await loadProjectName(await projectFolder(packageJson))).toBe("old-shop");
    },
  );

  it("is the folder's own, and always the same, where no name has a letter for hosts", async () => {
    const [one, other] = [
      await projectFolder('{"name":"日本"}', "東京"),
      await projectFolder(undefined, "東京"),
    ];
    const names = [await loadProjectName(one), await loadProjectName(one), await loadProjectName(other)];
    expect(names[0]).toMatch(/^app-[\da-f]{6}$/);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });
});

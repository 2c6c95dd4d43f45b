import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A template's files: path, with `/` → text. */
export type Template = ReadonlyMap<string, string>;

const TEMPLATES = fileURLToPath(new URL("../../../templates", import.meta.url));

/** Reads all files of a template, by name. */
export async function readTemplate(name: string): Promise<Template> {
  const folder = join(TEMPLATES, name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = paths.sort().map(async (path) => {
    const name = relative(folder, path).split(sep).join("/");
    return [name, await readFile(path, "utf8")] as const;
  });
  return new Map(await Promise.all(files));
}

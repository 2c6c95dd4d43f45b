import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a package.json says, unchecked. One that is missing or broken says nothing. */
export async function readManifest(root: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return toRecord(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
  } catch {
    return {};
  }
}

/** Its scripts by name. */
export function scriptsOf(manifest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return toRecord(manifest["scripts"]);
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

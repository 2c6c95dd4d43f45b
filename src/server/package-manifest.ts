import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a package.json says, unchecked. One that is missing or broken says nothing. */
export function readManifest(root: string): Readonly<Record<string, unknown>> {
  try {
    return toRecord(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
  } catch {
    return {};
  }
}

/** Its scripts by name. */
export function scriptsOf(manifest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return toRecord(manifest["scripts"]);
}

/** The scripts of the package.json in a folder, by name. */
export function readScripts(folder: string): Readonly<Record<string, unknown>> {
  return scriptsOf(readManifest(folder));
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

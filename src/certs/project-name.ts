import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** A name has at most 64 characters as a common name (RFC 5280, appendix A), `.localhost` included. */
const MAX_LABEL_LENGTH = 54;

/**
 * The project's name as the first part of `<project>.localhost`: the one in package.json, without its
 * scope, else the folder's. Where neither has a letter or digit that a host can have, one that is always the same for
 * the folder and hardly any other's: browsers keep cookies by name.
 */
export async function loadProjectName(root: string): Promise<string> {
  const label = labelOf((await packageName(root)) ?? "") || labelOf(basename(root));
  return label === "" ? `app-${createHash("sha256").update(root).digest("hex").slice(0, 6)}` : label;
}

/**
 * Makes a host label of any text: lower-case letters, digits and single hyphens. `@acme/My Café` is
 * `my-cafe`; where nothing is left, `app`.
 */
export function toHostLabel(text: string): string {
  return labelOf(text) || "app";
}

function labelOf(text: string): string {
  return text
    .replace(/^@[^/]*\//, "")
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, MAX_LABEL_LENGTH)
    .replace(/-$/, "");
}

/** A package.json that is missing or broken is not this folder's matter: `dev` works without one. */
async function packageName(root: string): Promise<string | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    if (typeof parsed !== "object" || parsed === null || !("name" in parsed)) return undefined;
    return typeof parsed.name === "string" && parsed.name !== "" ? parsed.name : undefined;
  } catch {
    return undefined;
  }
}

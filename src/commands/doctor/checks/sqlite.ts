import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { StoreProbe } from "../../../broker/store-probe.ts";
import type { Check, Verdict } from "../check.ts";

/** Whether better-sqlite3 loads here. */
export const sqlite: Check = {
  name: "sqlite",
  group: "machine",
  run: async ({ store }) =>
    judgeSqlite({ probe: await store, addon: await addonVersion(), napi: Number(process.versions.napi) }),
};

interface SqliteFacts {
  readonly probe: Pick<StoreProbe, "sqlite" | "output" | "isCutOff">;
  /** The version of better-sqlite3; `undefined` where it is not installed. */
  readonly addon: string | undefined;
  /** The Node-API version of this Node. */
  readonly napi: number;
}

/** better-sqlite3 13 needs Node-API 10: under an older one it does not fail but ends the process. */
const NAPI_OF_13 = 10;

/** What the attempt to load it in a child showed. */
export function judgeSqlite({ probe, addon, napi }: SqliteFacts): Verdict {
  if (probe.sqlite !== undefined)
    return { status: "ok", message: `${probe.sqlite} (better-sqlite3 ${addon ?? "of an unknown version"})` };
  if (addon === undefined)
    return { status: "fail", message: "better-sqlite3 is not installed", fix: "npm install" };
  if (probe.isCutOff) return { status: "fail", message: "better-sqlite3 did not load in time" };
  if (Number.parseInt(addon, 10) >= 13 && napi < NAPI_OF_13) {
    return {
      status: "fail",
      message: `better-sqlite3 ${addon} needs Node-API ${NAPI_OF_13}, this Node has ${napi}`,
      fix: "npm install better-sqlite3@12     or use Node 22.14 or newer",
    };
  }
  const why = /^\w*Error: (.+)$/m.exec(probe.output)?.[1] ?? "its process ended";
  return {
    status: "fail",
    message: `better-sqlite3 ${addon} does not load: ${why}`,
    fix: "npm rebuild better-sqlite3     after a change of Node or of the machine",
  };
}

async function addonVersion(): Promise<string | undefined> {
  try {
    const path = createRequire(import.meta.url).resolve("better-sqlite3/package.json");
    const manifest: unknown = JSON.parse(await readFile(path, "utf8"));
    const version = typeof manifest === "object" && manifest !== null && "version" in manifest;
    return version ? String(manifest.version) : undefined;
  } catch {
    return undefined;
  }
}

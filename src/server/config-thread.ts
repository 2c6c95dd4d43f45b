/** Imports a config in a thread of its own, and reports what it says; see `importConfig`. */
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

import { describeThrown, placeOfThrown } from "../registry/describe-thrown.ts";
import { errorCodeOf } from "../shared/errors.ts";
import type { ConfigJob, ConfigReport } from "./config-report.ts";

const { path, outfile } = workerData as ConfigJob;
process.setSourceMapsEnabled(true); // a stack then names the config's own lines

const report = (said: ConfigReport): void => parentPort?.postMessage(said);
try {
  const loaded: unknown = await import(pathToFileURL(outfile).href);
  if (typeof loaded === "object" && loaded !== null && "default" in loaded) reportValue(loaded.default);
  else report({ kind: "no-default" });
} catch (thrown) {
  const context = { file: path, outfile, root: dirname(path) };
  const message = describeThrown(thrown, context);
  const place = placeOfThrown(thrown, context);
  const code = errorCodeOf(thrown);
  report({ kind: "thrown", message, place, ...(code === undefined ? {} : { code }) });
}

function reportValue(value: unknown): void {
  const found = findCode(value, { key: "", seen: new Set() });
  report(found === undefined ? { kind: "loaded", value } : { kind: "not-data", ...found });
}

/** The first part of a value that is no data, by its place: `app.command`. */
function findCode(
  value: unknown,
  { key, seen }: { readonly key: string; readonly seen: Set<unknown> },
): { key: string; type: string } | undefined {
  if (typeof value === "function" || typeof value === "symbol") return { key, type: typeof value };
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  if (value instanceof Promise) return { key, type: "promise" };
  seen.add(value);
  for (const [name, part] of Object.entries(value)) {
    const found = findCode(part, { key: key === "" ? name : `${key}.${name}`, seen });
    if (found !== undefined) return found;
  }
  return undefined;
}

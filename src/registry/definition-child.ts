/**
 * A process that imports definition files for the broker and reports their static part over its IPC channel.
 *
 * It is killed by whoever forked it once the last file is reported: a definition may have opened a database, so
 * it would never end by itself. Its output is no part of the report.
 */
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

import { bundleModule } from "../platform/bundle-module.ts";
import type { Bundle } from "../platform/bundle-module.ts";
import { channelExportOf, isDefinedChannel, noChannel } from "../protocol/channel-export.ts";
import { FUNCTION_MARK } from "../shared/describe-value.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";
import { placeDefinition } from "./definition-place.ts";
import type { DefinitionJob, DefinitionReport } from "./definition-report.ts";
import { describeThrown, placeOfThrown } from "./describe-thrown.ts";
import { stampOf } from "./file-stamp.ts";
import type { FileStamp } from "./file-stamp.ts";
import { installCommand, packageNames, packageStamps } from "./packages.ts";

const send = process.send?.bind(process);
// Libraries greet a parent that they take for theirs (pm2's `process.send("ready")`).
delete process.send;

void import("esbuild").catch(() => {}); // while the job is awaited; whoever bundles is told why it fails
process.setSourceMapsEnabled(true);
process.once("message", (job) => void run(job as DefinitionJob));
// A broker that was killed takes this process along, whatever the main thread is doing.
process.once("disconnect", () => process.exit(1));
const parentPid = process.ppid;
// A connection that a definition opened may fail at any time. That says nothing about the definition.
process.on("uncaughtException", (error) => console.error(error));
process.on("unhandledRejection", (reason) => console.error(reason));

async function run({ files, root, cacheFolder }: DefinitionJob): Promise<void> {
  // All are bundled at once, then imported one after the other: of what hangs or ends this process, the culprit
  // is known.
  const bundles = files.map((file) => bundle(file, { root, cacheFolder }));
  new Worker(new URL("./parent-watch-thread.js", import.meta.url), { workerData: parentPid }).unref();
  for (const { file, stamps, bundled } of bundles) {
    try {
      const { outfile, imports } = await bundled;
      await report({ kind: "importing", file, stamps });
      const definition = await importStatic(file, { outfile, imports, root, stamps });
      await report({ kind: "loaded", file, stamps, definition });
    } catch (error) {
      const { message, hint } =
        error instanceof ChanctlError ? error : { message: messageOf(error), hint: undefined };
      await report({ kind: "failed", file, stamps, message, ...(hint === undefined ? {} : { hint }) });
    }
  }
}

function bundle(file: string, { root, cacheFolder }: Omit<DefinitionJob, "files">) {
  // A link is read under the name of what it leads to, and may lead elsewhere tomorrow.
  const stamps: Record<string, FileStamp> = { [file]: stampOf(file) };
  const bundled = bundleModule({
    entry: file,
    root,
    cacheFolder,
    errorCode: "definition_invalid",
    // Before the file is read: a write in between makes the stamp old, never the definition.
    onInput: (input) => (stamps[input] = stampOf(input)),
  });
  bundled.catch(() => {}); // awaited in its turn
  return { file, stamps, bundled };
}

interface Imported extends Pick<Bundle, "outfile" | "imports"> {
  readonly root: string;
  /** Is given what an install changes, where the import fails. */
  readonly stamps: Record<string, FileStamp>;
}

async function importStatic(file: string, { outfile, imports, root, stamps }: Imported): Promise<unknown> {
  const packages = { names: packageNames(imports), root };
  const installed = packageStamps(packages); // before it is tried: what is installed meanwhile counts as another
  let imported: unknown;
  try {
    imported = await import(pathToFileURL(outfile).href);
  } catch (cause) {
    Object.assign(stamps, installed);
    const context = { file, outfile, root };
    const isMissing = errorCodeOf(cause) === "ERR_MODULE_NOT_FOUND";
    throw new ChanctlError("definition_invalid", describeThrown(cause, context), {
      cause,
      hint: isMissing
        ? `${installCommand(packages)}     in the project; a running \`dev\` then loads the channel`
        : `correct ${placeOfThrown(cause, context)} and save it; what needs a service or a secret goes into \`verify\``,
    });
  }
  const shown = relative(root, file);
  const definition = channelExportOf(imported);
  if (file.endsWith(".json")) return definition;
  if (!isDefinedChannel(definition)) {
    const { message, hint } = noChannel(definition, shown);
    const place = { root, file: shown, key: undefined, valueAt: undefined };
    throw new ChanctlError("definition_invalid", placeDefinition(message, place), { hint });
  }
  try {
    return toPlain(definition);
  } catch (cause) {
    const message = `${shown} must be plain JSON and functions: ${messageOf(cause)}`;
    const hint = "leave out what JSON cannot say, such as a BigInt or a value that holds itself";
    throw new ChanctlError("definition_invalid", message, { cause, hint });
  }
}

/** What the app runs; of it the broker knows only whether it is there. */
const FUNCTION_KEYS: ReadonlySet<string> = new Set(["verify", "onPublish"]);

/** What holds values of its own. Not the schemas: those of a library may carry functions that JSON leaves out. */
const GROUP_KEYS: ReadonlySet<string> = new Set(["auth", "messages"]);

/**
 * Own keys only: the SDK's methods stand on the prototype. A function in any other place is passed on as what no key
 * takes: `public: () => false` must not let everybody in (CWE-636).
 */
function toPlain(definition: object): unknown {
  const plain = Object.entries(definition).map(([key, value]) => {
    if (FUNCTION_KEYS.has(key) && typeof value === "function") return [key, true];
    return [key, GROUP_KEYS.has(key) && isGroup(value) ? markMembers(value) : markFunction(value)];
  });
  return JSON.parse(JSON.stringify(Object.fromEntries(plain)));
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function markMembers(group: object): object {
  return Object.fromEntries(Object.entries(group).map(([key, value]) => [key, markFunction(value)]));
}

function markFunction(value: unknown): unknown {
  return typeof value === "function" ? FUNCTION_MARK : value;
}

function report(message: DefinitionReport): Promise<void> {
  // Waits until it is written: the next import may end this process or never let it write again.
  return new Promise((resolve, reject) => {
    if (send === undefined) throw new TypeError("a definition child must be forked with an IPC channel");
    send(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}

import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SHARE_ENV, Worker } from "node:worker_threads";

import { bundleModule } from "../platform/bundle-module.ts";
import type { FileStamp } from "../registry/file-stamp.ts";
import { installCommand, packageNames, packageStamps } from "../registry/packages.ts";
import { formatDuration } from "../shared/duration.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import { configError } from "./config-error.ts";
import type { ConfigJob, ConfigReport } from "./config-report.ts";

const THREAD = new URL("./config-thread.js", import.meta.url);

const TIMEOUT_MS = 10_000;

export interface ConfigImport {
  /** The config's file, absolute. */
  readonly path: string;
  /** Its text, for the places in errors. */
  readonly source: string;
  /**
   * Told of each file that it is made from, just before it is read; also when it fails: then of those too that an
   * install changes, with the stamps that they had before the import.
   */
  readonly onInput?: ((file: string, stamp?: FileStamp) => void) | undefined;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take to import, in ms. @default 10 s, as for a channel definition */
  readonly timeoutMs?: number | undefined;
}

/**
 * Imports a config and gives its default export.
 *
 * In a thread of its own: a config that loops, waits for ever or ends its process takes nothing with it, least of all a
 * server that runs by the config before.
 *
 * @throws {ChanctlError} `config_invalid` with the place of what is wrong.
 */
export async function importConfig(options: ConfigImport): Promise<unknown> {
  const { path, source, onInput } = options;
  const root = dirname(path);
  const { outfile, imports } = await bundleModule({
    entry: path,
    cacheFolder: join(root, ".chanctl", "definitions"),
    errorCode: "config_invalid",
    ...(onInput === undefined ? {} : { onInput }),
  });
  const packages = { names: packageNames(imports), root };
  const installed = packageStamps(packages); // before it is tried: what is installed meanwhile counts as another
  try {
    const report = await runThread({ path, outfile }, options);
    if (report.kind === "loaded") return report.value;
    for (const [file, stamp] of Object.entries(installed)) onInput?.(file, stamp);
    throw toError(report, { path, source, install: installCommand(packages) });
  } finally {
    await rm(outfile, { force: true });
  }
}

/** @throws the signal's reason; {ChanctlError} `config_invalid` if it does not end, or ends without a word. */
async function runThread(
  job: ConfigJob,
  { signal, timeoutMs = TIMEOUT_MS }: Pick<ConfigImport, "signal" | "timeoutMs">,
): Promise<ConfigReport> {
  signal?.throwIfAborted();
  const file = basename(job.path);
  const thread = new Worker(THREAD, { workerData: job, env: SHARE_ENV });
  let timer: NodeJS.Timeout | undefined;
  let giveUp = (): void => {};
  try {
    return await new Promise<ConfigReport>((resolve, reject) => {
      const fail = (message: string, hint: string): void =>
        reject(new ChanctlError("config_invalid", `${file}: ${message}`, { hint }));
      giveUp = () => reject(signal?.reason);
      signal?.addEventListener("abort", giveUp, { once: true });
      timer = setTimeout(() => {
        fail(
          `importing it did not end within ${formatDuration(timeoutMs)}`,
          "a config is imported to read its settings: take out what waits or loops",
        );
      }, timeoutMs);
      thread.once("message", resolve);
      thread.once("error", (error) => {
        fail(
          `it threw while it was imported: ${messageOf(error)}`,
          "a config is imported to read its settings: take out what it starts",
        );
      });
      thread.once("exit", () => {
        fail(
          "importing it ended before it had said the settings",
          "remove the call of process.exit, or the await that never ends",
        );
      });
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
    await thread.terminate();
  }
}

function toError(
  report: Exclude<ConfigReport, { kind: "loaded" }>,
  config: { readonly path: string; readonly source: string; readonly install: string },
): ChanctlError {
  switch (report.kind) {
    case "thrown": {
      const isMissing = report.code === "ERR_MODULE_NOT_FOUND";
      const hint = isMissing
        ? `${config.install}     in the project; a running \`dev\` then reads the config again`
        : `correct ${report.place} and save it`;
      return new ChanctlError("config_invalid", report.message, { hint });
    }
    case "no-default":
      return configError(config, {
        message: "the config must be the default export, got no default",
        hint: "export default defineConfig({ … })",
      });
    case "not-data": {
      const { key, type } = report;
      const named = key === "" ? "the config must be an object" : `\`${key}\` must be plain data`;
      return configError(config, {
        message: `${named}, got a ${type}`,
        ...(key === ""
          ? { hint: "export default defineConfig({ … })" }
          : { key, hint: dataInstead(key, type) }),
      });
    }
    default:
      return report satisfies never;
  }
}

function dataInstead(key: string, type: string): string {
  const name = key.split(".").at(-1) ?? key;
  return type === "promise" ? `${name}: await …` : `${name}: …     call it here: a config holds values`;
}

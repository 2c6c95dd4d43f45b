import { join } from "node:path";

import type { JsonSchema } from "../../protocol/definition.ts";
import { missingFolder } from "../../registry/definition-files.ts";
import { Registry } from "../../registry/registry.ts";
import type { RegistryEntry } from "../../registry/registry.ts";
import { loadProject } from "../../server/config-file.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import { formatDuration } from "../../shared/duration.ts";
import { ChanctlError, ERRORS } from "../../shared/errors.ts";
import { LIFECYCLE, LIFECYCLE_KEYS } from "../../shared/lifecycle.ts";
import type { Lifecycle } from "../../shared/lifecycle.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { printError } from "../print-error.ts";
import { tableLines } from "../table.ts";

/** Prints the channels as their files define them; broken ones with what is wrong. Exits 3 if there is one. */
export async function runChannelList({ isJson }: { isJson: boolean }, io: Io): Promise<void> {
  const entries = await loadEntries(io);
  if (isJson) for (const entry of entries) io.stdout(`${JSON.stringify(toJson(entry))}\n`);
  else printTable(entries, io);
  if (entries.some(({ error }) => error !== undefined)) io.setExitCode(ERRORS.definition_invalid.exit);
}

async function loadEntries(io: Io): Promise<readonly RegistryEntry[]> {
  const { root, config } = await loadProject(io.cwd);
  const options = resolveOptions({ flags: {}, env: io.env, config, root, cwd: io.cwd });
  const missing = missingFolder({ root, folder: options.channels });
  if (missing !== undefined)
    throw new ChanctlError("definition_invalid", missing.message, { hint: missing.hint });
  const registry = await Registry.open({
    root,
    folder: options.channels,
    cacheFolder: join(options.stateFolder, "definitions"),
    env: io.env,
    logger: () => {}, // every failure is in the entries
    watch: false,
    limits: options.limits,
  });
  await registry.close();
  return registry.entries();
}

function toJson({ name, file, definition, error }: RegistryEntry): object {
  return {
    name,
    file,
    ...(definition === undefined ? {} : { ...definition, auth: definition.auth ?? null }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message, fix: error.hint } }),
  };
}

function printTable(entries: readonly RegistryEntry[], io: Io): void {
  const { bold } = palette(io.color);
  if (entries.length === 0) {
    io.stderr("no channels yet\n  fix: chanctl channel add chat --transport ws --param room:string\n");
    return;
  }
  const head = ["NAME", "TRANSPORT", "PARAMS", "AUTH", "LIFECYCLE", "FILE"];
  const rows = entries.flatMap((entry) => (entry.definition === undefined ? [] : [toRow(entry)]));
  if (rows.length > 0) io.stdout(tableLines({ head, rows }, io));
  for (const { name, error } of entries) {
    if (error === undefined) continue;
    io.stderr(`\n${bold(name)}\n`);
    printError(error, io);
  }
}

function toRow({ name, file, definition }: RegistryEntry): string[] {
  if (definition === undefined) return [name];
  const { transport, paramsSchema, auth, public: isPublic, lifecycle } = definition;
  const sources = [
    auth?.headerName && `header ${auth.headerName}`,
    auth?.cookieName && `cookie ${auth.cookieName}`,
  ];
  const authText = isPublic ? "public" : sources.filter(Boolean).join(", ") || "verify";
  return [name, transport, describeParams(paramsSchema), authText, describeLifecycle(lifecycle), file];
}

/** `room:string limit?:integer`, as `channel add --param` takes them. */
function describeParams({ properties, required }: JsonSchema): string {
  const names = Array.isArray(required) ? required : [];
  const params = Object.entries((properties ?? {}) as Readonly<Record<string, JsonSchema>>).map(
    ([name, { type }]) =>
      `${name}${names.includes(name) ? "" : "?"}:${typeof type === "string" ? type : "…"}`,
  );
  return params.join(" ") || "-";
}

/** Only what differs from the defaults. */
function describeLifecycle(lifecycle: Lifecycle): string {
  const changed = LIFECYCLE_KEYS.filter((key) => lifecycle[key] !== LIFECYCLE[key].default).map((key) => {
    const value = lifecycle[key];
    return key.endsWith("Ms") ? `${key.slice(0, -2)} ${formatDuration(value)}` : `${key} ${value}`;
  });
  return changed.join(", ") || "defaults";
}

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { probeStore } from "../../broker/store-probe.ts";
import { resolveConfigHome } from "../../platform/config-home.ts";
import { isAlive } from "../../platform/is-alive.ts";
import { readRunFile } from "../../platform/run-file.ts";
import { Registry } from "../../registry/registry.ts";
import type { RegistryEntry } from "../../registry/registry.ts";
import { findProject, loadProject } from "../../server/config-file.ts";
import type { Project } from "../../server/config-file.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import type { ResolvedOptions } from "../../server/resolve-options.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import type { Scene } from "./check.ts";

/** How long a look at the store may take, in ms. */
const STORE_TIMEOUT_MS = 10_000;

/** Finds out what all checks need to know of the project. What is broken there is for a check to say. */
export async function surveyScene(io: Io, signal: AbortSignal): Promise<Scene> {
  const { root, configPath } = await findProjectAnyway(io.cwd);
  const stateFolder = join(root, ".chanctl");
  const store = probeStore(stateFolder, { timeoutMs: STORE_TIMEOUT_MS, signal });
  const [settings, run] = await Promise.all([
    resolveSettings(io),
    readRunFile(stateFolder).catch(() => undefined),
  ]);
  const isProject =
    configPath !== undefined || existsSync(stateFolder) || existsSync(join(root, "package.json"));
  const channels = isProject ? loadChannels(settings, { root, io }) : Promise.resolve([]);
  channels.catch(() => {}); // it may fail before a check waits for it
  return {
    env: io.env,
    root,
    stateFolder,
    isProject,
    configPath,
    settings,
    run: run && { ...run, isAlive: isAlive(run.pid) },
    home: resolveConfigHome({ env: io.env, platform: process.platform, homedir: homedir() }),
    store,
    channels,
  };
}

async function loadChannels(
  settings: Scene["settings"],
  { root, io }: { readonly root: string; readonly io: Io },
): Promise<readonly RegistryEntry[]> {
  if (settings instanceof ChanctlError) return [];
  const registry = await Registry.open({
    root,
    folder: settings.channels,
    cacheFolder: join(settings.stateFolder, "definitions"),
    env: io.env,
    logger: () => {},
    watch: false,
    limits: settings.limits,
  });
  await registry.close();
  return registry.entries();
}

/** Two config files are for the check of the config to say. */
async function findProjectAnyway(cwd: string): Promise<Project> {
  return findProject(cwd).catch(() => ({ root: cwd }));
}

async function resolveSettings(io: Io): Promise<ResolvedOptions | ChanctlError> {
  try {
    const { root, config } = await loadProject(io.cwd);
    return resolveOptions({ flags: {}, env: io.env, config, root, cwd: io.cwd });
  } catch (error) {
    if (error instanceof ChanctlError) return error;
    throw error;
  }
}

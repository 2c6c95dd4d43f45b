import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";

import type { ChannelChange } from "#src/registry/channel-change.ts";
import { Registry } from "#src/registry/registry.ts";
import type { RegistryOptions } from "#src/registry/registry.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { channelText } from "../support/channel-text.ts";
import { linkPackage } from "../support/link-package.ts";

/** A project in a temporary folder, with chanctl installed as a link, which goes when the test ends. */
export interface TempProject {
  readonly root: string;
  readonly path: (file: string) => string;
  readonly write: (file: string, text: string) => void;
  readonly remove: (file: string) => void;
  readonly has: (file: string) => boolean;
}

export function createProject(files: Readonly<Record<string, string>> = {}): TempProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "chanctl-registry-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  linkPackage(root);
  const path = (file: string): string => join(root, file);
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), text);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  return {
    root,
    path,
    write,
    remove: (file) => rmSync(path(file), { recursive: true }),
    has: (file) => existsSync(path(file)),
  };
}

/** A registry that closes when the test ends, and all that it told. */
export interface OpenedRegistry {
  readonly registry: Registry;
  readonly changes: ChannelChange[];
  readonly logged: LogEntry[];
}

export async function openRegistry(
  { root }: TempProject,
  options: Partial<RegistryOptions> = {},
): Promise<OpenedRegistry> {
  const logged: LogEntry[] = [];
  const changes: ChannelChange[] = [];
  const registry = await Registry.open({
    root,
    folder: join(root, "channels"),
    cacheFolder: join(root, ".chanctl/definitions"),
    env: process.env,
    logger: (entry) => logged.push(entry),
    watch: false,
    limits: DEFAULT_LIMITS,
    ...options,
  });
  onTestFinished(() => registry.close());
  registry.onChange((change) => changes.push(change));
  return { registry, changes, logged };
}

/** Waits until the assertion holds. */
export function eventually(assertion: () => void): Promise<void> {
  return vi.waitFor(assertion, { timeout: 25_000, interval: 10 });
}

export const PUBLIC = channelText("{ public: true }");

/** A public channel whose `maxMessages` tells one version from another. */
export function version(number: number): string {
  return channelText(`{ public: true, maxMessages: ${number} }`);
}

export function expectVersion(registry: Registry, name: string, number: number): void {
  expect(registry.get(name)?.definition.lifecycle.maxMessages).toBe(number);
}

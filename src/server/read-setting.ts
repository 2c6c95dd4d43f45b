import { resolve } from "node:path";

import { ChanctlError } from "../shared/errors.ts";
import type { SettingSource } from "./setting-source.ts";
import type { Setting } from "./settings.ts";

/**
 * A setting as the first source that has it gives it.
 *
 * @throws {ChanctlError} the source's code: what was expected, and where what came is.
 */
export function read<T>(setting: Setting<T>, sources: readonly SettingSource[]): T | undefined {
  const source = sourceOf(setting, sources);
  if (source === undefined) return undefined;
  const value = source.get(setting.key);
  const parsed = setting.parse(value);
  if (parsed !== undefined) return parsed;
  const { item: got, hint } = setting.findMisfit?.(value) ?? { item: value };
  throw new ChanctlError(
    setting.code ?? source.code,
    `${source.nameOf(setting.key)} must be ${setting.expected}, got \`${JSON.stringify(got)}\``,
    hint === undefined ? {} : { hint },
  );
}

/** A path; a relative one begins at the folder of its source. */
export function readPath(setting: Setting<string>, sources: readonly SettingSource[]): string | undefined {
  const path = read(setting, sources);
  const folder = sourceOf(setting, sources)?.folder;
  return path === undefined || folder === undefined ? undefined : resolve(folder, path);
}

/** The first source that has the setting. */
export function sourceOf(
  setting: Setting<unknown>,
  sources: readonly SettingSource[],
): SettingSource | undefined {
  return sources.find((source) => source.get(setting.key) !== undefined);
}

import { resolve } from "node:path";

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
  const { key, code, expected } = setting;
  const example = setting.example ?? setting.schema["default"];
  const { item: got, hint } = setting.findMisfit?.(value) ?? { item: value };
  throw source.toError(`${source.nameOf(key)} must be ${expected}, got \`${source.show(got)}\``, {
    key,
    code,
    hint: hint ?? (example === undefined ? undefined : source.toLine(key, example)),
  });
}

/**
 * Checks all that the config gives, that too which a flag or a variable hides: it would be met the day the flag is left
 * out, or never.
 *
 * @throws {ChanctlError} `config_invalid` with its place.
 */
export function assertValues(settings: readonly Setting<unknown>[], source: SettingSource): void {
  for (const setting of settings) read(setting, [source]);
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

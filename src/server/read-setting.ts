import { resolve } from "node:path";

import type { Mistake } from "./config-error.ts";
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
  const { message, ...about } = describeMisfit(setting, { source, value });
  throw source.toError(message, about);
}

/**
 * Finds all values of the config that do not fit, those too which a flag or a variable hides: they would be met the day
 * the flag is left out, or never.
 */
export function findMisfits(
  settings: readonly Setting<unknown>[],
  source: SettingSource,
): readonly Mistake[] {
  return settings.flatMap((setting) => {
    const value = source.get(setting.key);
    const fits = value === undefined || setting.parse(value) !== undefined;
    return fits ? [] : [describeMisfit(setting, { source, value })];
  });
}

function describeMisfit(
  setting: Setting<unknown>,
  { source, value }: { readonly source: SettingSource; readonly value: unknown },
) {
  const { key, code, expected } = setting;
  const example = setting.example ?? setting.schema["default"];
  const { item: got, hint } = setting.findMisfit?.(value) ?? { item: value };
  return {
    message: `${source.nameOf(key)} must be ${expected}, got \`${source.show(got)}\``,
    key,
    code,
    hint: hint ?? (example === undefined ? undefined : source.toLine(key, example)),
  };
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

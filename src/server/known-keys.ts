import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { LoadedConfig } from "./config-file.ts";
import { placeOf } from "./setting-source.ts";
import { CONFIG_KEYS } from "./settings.ts";

/** Names the JSON Schema, for editors. */
const SCHEMA_KEY = "$schema";

/**
 * Refuses a config with a key that means nothing: a slip there would silently leave the default in force.
 *
 * @throws {ChanctlError} `config_invalid` with the place and the key that was probably meant.
 */
export function assertKnownKeys(config: LoadedConfig): void {
  assertObject(config, { value: config.value, prefix: "" });
}

function assertObject(config: LoadedConfig, { value, prefix }: { value: unknown; prefix: string }): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const name = prefix === "" ? "the config" : `\`${prefix.slice(0, -1)}\``;
    throw new ChanctlError(
      "config_invalid",
      `${placeOf(config, prefix.slice(0, -1))}: ${name} must be an object, got \`${JSON.stringify(value)}\``,
      prefix === "app." ? { hint: 'app: { command: "npm run start" }' } : {},
    );
  }
  for (const [name, member] of Object.entries(value)) {
    const key = `${prefix}${name}`;
    if (CONFIG_KEYS.includes(key) || key === SCHEMA_KEY) continue;
    if (!CONFIG_KEYS.some((known) => known.startsWith(`${key}.`))) throw unknownKey(config, key);
    if (member !== undefined) assertObject(config, { value: member, prefix: `${key}.` });
  }
}

function unknownKey(config: LoadedConfig, key: string): ChanctlError {
  const last = key.split(".").at(-1) ?? key;
  const near =
    CONFIG_KEYS.find((known) => known.split(".").at(-1) === last) ??
    didYouMean(key, [...new Set(CONFIG_KEYS.flatMap((known) => [known, known.split(".")[0] ?? known]))]);
  return new ChanctlError("config_invalid", `${placeOf(config, key)}: unknown key \`${key}\``, {
    hint: near === undefined ? `the keys are ${CONFIG_KEYS.join(", ")}` : `did you mean \`${near}\`?`,
  });
}

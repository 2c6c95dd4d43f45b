import { didYouMean } from "../shared/did-you-mean.ts";
import type { ChanctlError } from "../shared/errors.ts";
import { configError } from "./config-error.ts";
import type { LoadedConfig } from "./config-file.ts";
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
    const isJson = config.path.endsWith(".json");
    const key = prefix.slice(0, -1);
    const message = `must be an object, got \`${JSON.stringify(value)}\``;
    if (prefix === "") {
      const hint = isJson ? '{ "port": 4433 }' : "export default defineConfig({ port: 4433 });";
      throw configError(config, { message: `the config ${message}`, hint });
    }
    const inner = prefix === "app." ? '{ command: "npm run start" }' : "{ … }";
    throw configError(config, { message: `\`${key}\` ${message}`, key, hint: `${key}: ${inner}` });
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
  return configError(config, {
    message: `unknown key \`${key}\``,
    key,
    hint: near === undefined ? `the keys are ${keysBeside(key).join(", ")}` : `did you mean \`${near}\`?`,
  });
}

/** The keys of the same object, by their own names: with all that is within them they would fill a screen. */
function keysBeside(key: string): readonly string[] {
  const prefix = key.slice(0, key.lastIndexOf(".") + 1);
  const beside = CONFIG_KEYS.filter((known) => known.startsWith(prefix));
  return [...new Set(beside.map((known) => known.slice(prefix.length).split(".")[0] ?? known))];
}

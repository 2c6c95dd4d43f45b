import { didYouMean } from "../shared/did-you-mean.ts";
import type { Mistake } from "./config-error.ts";
import type { LoadedConfig } from "./config-file.ts";
import { CONFIG_KEYS } from "./settings.ts";

/** Names the JSON Schema, for editors. */
const SCHEMA_KEY = "$schema";

/** Finds the keys of a config that mean nothing: a slip there would silently leave the default in force. */
export function findUnknownKeys(config: LoadedConfig): readonly Mistake[] {
  return findIn(config, { value: config.value, prefix: "" });
}

interface Part {
  readonly value: unknown;
  /** Where it stands: `app.`. */
  readonly prefix: string;
}

function findIn(config: LoadedConfig, { value, prefix }: Part): readonly Mistake[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [notAnObject(config, { value, prefix })];
  return Object.entries(value).flatMap(([name, member]) => {
    const key = `${prefix}${name}`;
    if (CONFIG_KEYS.includes(key) || key === SCHEMA_KEY) return [];
    if (!CONFIG_KEYS.some((known) => known.startsWith(`${key}.`))) return [unknownKey(key)];
    return member === undefined ? [] : findIn(config, { value: member, prefix: `${key}.` });
  });
}

function notAnObject({ path }: LoadedConfig, { value, prefix }: Part): Mistake {
  const message = `must be an object, got \`${JSON.stringify(value)}\``;
  if (prefix === "") {
    const hint = path.endsWith(".json") ? '{ "port": 4433 }' : "export default defineConfig({ port: 4433 });";
    return { message: `the config ${message}`, hint };
  }
  const key = prefix.slice(0, -1);
  const inner = prefix === "app." ? '{ command: "npm run start" }' : "{ … }";
  return { message: `\`${key}\` ${message}`, key, hint: `${key}: ${inner}` };
}

function unknownKey(key: string): Mistake {
  const last = key.split(".").at(-1) ?? key;
  const prefix = key.slice(0, key.length - last.length);
  const beside = didYouMean(last, keysBeside(key)); // before the keys within one: `limit` begins all of `limits.…` too
  const near =
    CONFIG_KEYS.find((known) => known.split(".").at(-1) === last) ??
    (beside === undefined ? didYouMean(key, CONFIG_KEYS) : `${prefix}${beside}`);
  return {
    message: `unknown key \`${key}\``,
    key,
    hint: near === undefined ? `the keys are ${keysBeside(key).join(", ")}` : `did you mean \`${near}\`?`,
  };
}

/** The keys of the same object, by their own names: with all that is within them they would fill a screen. */
function keysBeside(key: string): readonly string[] {
  const prefix = key.slice(0, key.lastIndexOf(".") + 1);
  const beside = CONFIG_KEYS.filter((known) => known.startsWith(prefix));
  return [...new Set(beside.map((known) => known.slice(prefix.length).split(".")[0] ?? known))];
}

import { basename } from "node:path";

import type { ErrorCode } from "../shared/errors.ts";
import type { LoadedConfig } from "./config-file.ts";
import { lineOfKey } from "./key-line.ts";

/** Where settings come from: the flags, the environment or the config. */
export interface SettingSource {
  /** The error of a value that does not fit. */
  readonly code: ErrorCode;
  /** The folder that relative paths begin at. */
  readonly folder: string;
  /** The value of a setting by its place in the config (`app.command`); `undefined` if it is not given. */
  get(key: string): unknown;
  /** What the person wrote: `--app-port`, `CHANCTL_APP_PORT`, `app.port` in chanctl.config.ts. */
  nameOf(key: string): string;
}

/** Options of the command line, by setting, as commander read them. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

const FLAG_NAMES: Readonly<Record<string, string>> = {
  "app.command": "--app",
  "tls.cert": "--cert",
  "tls.key": "--key",
};

/** Settings whose flag and variable are shorter than their place in the config. */
const SHORT_KEYS: Readonly<Record<string, string>> = {
  "durableStreams.enabled": "ds",
  "durableStreams.path": "ds.path",
  "durableStreams.skipAuth": "ds.skipAuth",
  "durableStreams.pollIntervalSecs": "ds.pollInterval",
  "durableStreams.sseTtlSecs": "ds.sseTtl",
  "durableStreams.publicStreams": "publicStreams",
  "durableStreams.publicWrites": "publicWrites",
};

/** An empty one is a slip, and must not quietly turn a check off as if it had not been given (CWE-1188). */
const SECRET_KEYS: ReadonlySet<string> = new Set(["streamsSecret", "jwt.secret"]);

/** The flags; relative paths begin at the working directory. */
export function flagSource(flags: Flags, cwd: string): SettingSource {
  return {
    code: "usage",
    folder: cwd,
    get: (key) => flags[key],
    nameOf: (key) => `\`${FLAG_NAMES[key] ?? `--${toWords(key).join("-")}`}\``,
  };
}

/** `CHANCTL_*` variables: the setting's words in capitals. An empty one counts as unset, but for secrets. */
export function envSource(env: Readonly<Record<string, string | undefined>>, cwd: string): SettingSource {
  const variable = (key: string): string => `CHANCTL_${toWords(key).join("_").toUpperCase()}`;
  return {
    code: "config_invalid",
    folder: cwd,
    get: (key) => (SECRET_KEYS.has(key) ? env[variable(key)] : env[variable(key)] || undefined),
    nameOf: (key) => `the environment variable ${variable(key)}`,
  };
}

/** The config; relative paths begin at the project's folder, where its file is. */
export function configSource(config: LoadedConfig, root: string): SettingSource {
  return {
    code: "config_invalid",
    folder: root,
    get: (key) => key.split(".").reduce<unknown>((value, name) => memberOf(value, name), config.value),
    nameOf: (key) => `\`${key}\` (${placeOf(config, key)})`,
  };
}

/** The file, and the line of a key where the text shows which it is: `chanctl.config.ts:5`. */
export function placeOf(config: LoadedConfig, key: string): string {
  const line = lineOfKey(config.source, key);
  return line === undefined ? basename(config.path) : `${basename(config.path)}:${line}`;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

/** `limits.maxMessageBytes` → `limits`, `max`, `message`, `bytes`. */
function toWords(key: string): string[] {
  return (SHORT_KEYS[key] ?? key)
    .replaceAll(/([a-z])([A-Z])/g, "$1.$2")
    .toLowerCase()
    .split(".");
}

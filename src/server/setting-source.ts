import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { configError } from "./config-error.ts";
import type { LoadedConfig } from "./config-file.ts";

/** Where settings come from: the flags, the environment or the config. */
export interface SettingSource {
  /** The folder that relative paths begin at. */
  readonly folder: string;
  /** The value of a setting by its place in the config (`app.command`); `undefined` if it is not given. */
  get(key: string): unknown;
  /** What the person wrote: `--app-port`, `CHANCTL_APP_PORT`, `app.port`. */
  nameOf(key: string): string;
  /** A value as the person wrote it. */
  show(value: unknown): string;
  /** The line or the words that give a setting this value: `--port 4433`, `port: 4433`. */
  toLine(key: string, value: unknown): string;
  /** The error of what does not fit, with its place where that is known. */
  toError(message: string, about: About): ChanctlError;
}

interface About {
  readonly key: string;
  readonly hint?: string | undefined;
  /** @default the source's: `usage` for flags, else `config_invalid` */
  readonly code?: ErrorCode | undefined;
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
  const flag = (key: string): string => FLAG_NAMES[key] ?? `--${toWords(key).join("-")}`;
  return {
    folder: cwd,
    get: (key) => flags[key],
    nameOf: (key) => `\`${flag(key)}\``,
    show: showText,
    toLine: (key, value) => `${flag(key)} ${toWord(value)}`,
    toError: toTextError("usage"),
  };
}

/** `CHANCTL_*` variables: the setting's words in capitals. An empty one counts as unset, but for secrets. */
export function envSource(env: Readonly<Record<string, string | undefined>>, cwd: string): SettingSource {
  return {
    folder: cwd,
    get: (key) => (SECRET_KEYS.has(key) ? env[variableOf(key)] : env[variableOf(key)] || undefined),
    nameOf: (key) => `the environment variable ${variableOf(key)}`,
    show: showText,
    toLine: (key, value) => `${variableOf(key)}=${toWord(value)}`,
    toError: toTextError("config_invalid"),
  };
}

/** The variable of a setting: `app.port` → `CHANCTL_APP_PORT`. */
export function variableOf(key: string): string {
  return `CHANCTL_${toWords(key).join("_").toUpperCase()}`;
}

/** The config; relative paths begin at the project's folder, where its file is. */
export function configSource(config: LoadedConfig, root: string): SettingSource {
  return {
    folder: root,
    get: (key) => key.split(".").reduce<unknown>((value, name) => memberOf(value, name), config.value),
    nameOf: (key) => `\`${key}\``,
    show: (value) => JSON.stringify(value) ?? String(value),
    toLine: (key, value) => {
      const name = key.split(".").at(-1) ?? key;
      return `${config.path.endsWith(".json") ? `"${name}"` : name}: ${JSON.stringify(value)}`;
    },
    toError: (message, { key, hint }) => configError(config, { message, key, hint }),
  };
}

function toTextError(sourceCode: ErrorCode): SettingSource["toError"] {
  return (message, { hint, code = sourceCode }) =>
    new ChanctlError(code, message, hint === undefined ? {} : { hint });
}

function showText(value: unknown): string {
  return value === "" ? '""' : String(value);
}

/** A value as a word of a command line; lists go between commas. */
function toWord(value: unknown): string {
  const text = String(value);
  return /^[\w.:/,@~-]+$/.test(text) ? text : `"${text}"`;
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

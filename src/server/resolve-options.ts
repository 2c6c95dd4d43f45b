import { basename, join } from "node:path";

import { ChanctlError } from "../shared/errors.ts";
import { resolveLimits } from "../shared/limits.ts";
import { configErrors } from "./config-error.ts";
import type { LoadedConfig } from "./config-file.ts";
import { findUnknownKeys } from "./known-keys.ts";
import type { AppOptions, ServerOptions } from "./options.ts";
import { findMisfits, read, readPath, sourceOf } from "./read-setting.ts";
import { resolveJwt, resolveStreams } from "./resolve-streams.ts";
import { configSource, envSource, flagSource } from "./setting-source.ts";
import type { Flags, SettingSource } from "./setting-source.ts";
import { ALL_SETTINGS, LIMIT_SETTINGS, SETTINGS } from "./settings.ts";
import { STREAM_SETTINGS } from "./stream-settings.ts";

/** What flags, environment, config and defaults say together. A command adds the rest of `ServerOptions`. */
export interface ResolvedOptions extends Omit<ServerOptions, "tls" | "http2" | "watch" | "logger"> {
  /** Files that hold the certificate and its key, absolute. */
  readonly tls?: { readonly certPath: string; readonly keyPath: string };
}

interface ResolveInput {
  /** By setting, as the person typed them. */
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: LoadedConfig | undefined;
  /** The project's folder, absolute. */
  readonly root: string;
  /** The working directory, absolute: where the paths of flags begin. */
  readonly cwd: string;
  /** What a command takes where nothing else says. */
  readonly defaults?: {
    /** @default "127.0.0.1" */
    readonly host?: string;
    /** The app's command line. @default no app */
    readonly appCommand?: string | undefined;
  };
}

const LOOPBACK = "127.0.0.1";
const DEFAULT_PORT = 4433;
const DEFAULT_AUTHORIZE_RETRY_MS = 10_000;

/**
 * Resolves every setting: flags, then `CHANCTL_*` variables (an empty one counts as unset), then the config,
 * then the default.
 *
 * @throws {ChanctlError} `usage` for a flag, `config_invalid` for the others: what was expected, and where what came is.
 */
export function resolveOptions({
  flags,
  env,
  config,
  root,
  cwd,
  defaults = {},
}: ResolveInput): ResolvedOptions {
  const full = config && expandConfig(config);
  if (full !== undefined) assertConfig(full, root);
  const sources = [flagSource(flags, cwd), envSource(env, cwd), ...(full ? [configSource(full, root)] : [])];
  const stateFolder = join(root, ".chanctl");
  const app = resolveApp(sources, defaults.appCommand);
  const internalPort = read(SETTINGS.internalPort, sources);
  const allowedHosts = read(SETTINGS.allowedHosts, sources);
  const token = resolveToken(env["CHANCTL_TOKEN"]);
  const tls = resolveTls(sources);
  const streamsSecret = read(STREAM_SETTINGS.streamsSecret, sources);
  const jwt = resolveJwt(sources);
  return {
    root,
    ...(config === undefined ? {} : { configName: basename(config.path) }),
    stateFolder,
    channels: readPath(SETTINGS.channels, sources) ?? join(root, "channels"),
    host: read(SETTINGS.host, sources) ?? defaults.host ?? LOOPBACK,
    port: read(SETTINGS.port, sources) ?? DEFAULT_PORT,
    internalHost: read(SETTINGS.internalHost, sources) ?? LOOPBACK,
    ...(internalPort === undefined ? {} : { internalPort }),
    ...(token ? { token } : {}),
    ...(app === undefined ? {} : { app }),
    ...(tls === undefined ? {} : { tls }),
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
    allowedOrigins: read(SETTINGS.allowedOrigins, sources) ?? [],
    authorizeRetryMs: read(SETTINGS.authorizeRetryMs, sources) ?? DEFAULT_AUTHORIZE_RETRY_MS,
    limits: resolveLimits(readLimits(sources)),
    durableStreams: resolveStreams(sources),
    ...(streamsSecret === undefined ? {} : { streamsSecret }),
    ...(jwt === undefined ? {} : { jwt }),
    env,
  };
}

function assertConfig(config: LoadedConfig, root: string): void {
  const misfits = findMisfits(ALL_SETTINGS, configSource(config, root));
  const mistakes = [...findUnknownKeys(config), ...misfits];
  if (mistakes.length > 0) throw configErrors(config, mistakes);
}

/** `durableStreams: false` is `durableStreams: { enabled: false }`. */
function expandConfig(config: LoadedConfig): LoadedConfig {
  const { value } = config;
  if (typeof value !== "object" || value === null || !("durableStreams" in value)) return config;
  const { durableStreams } = value;
  if (typeof durableStreams !== "boolean") return config;
  return { ...config, value: { ...value, durableStreams: { enabled: durableStreams } } };
}

/** Sent as Bearer, so it must have the form of one (RFC 6750, section 2.1). */
function resolveToken(token: string | undefined): string | undefined {
  if (!token || /^[\w.~+/-]+=*$/.test(token)) return token || undefined;
  throw new ChanctlError(
    "config_invalid",
    "`CHANCTL_TOKEN` must be letters, digits and `-._~+/`, got something else",
    { hint: "unset CHANCTL_TOKEN     chanctl then makes a token of its own" },
  );
}

/** The first source that says what the app is decides: `--app-url` replaces the config's `app.command`. */
function resolveApp(
  sources: readonly SettingSource[],
  defaultCommand: string | undefined,
): AppOptions | undefined {
  const { appCommand, appUrl, appPort } = SETTINGS;
  const source = sources.find(
    (each) => each.get(appCommand.key) !== undefined || each.get(appUrl.key) !== undefined,
  );
  const from = source === undefined ? [] : [source];
  const url = read(appUrl, from);
  const command = read(appCommand, from);
  if (source !== undefined && command !== undefined && url !== undefined) {
    throw source.toError(
      `${source.nameOf(appCommand.key)} and ${source.nameOf(appUrl.key)} exclude each other`,
      {
        key: appUrl.key,
        hint: "give the command of an app to start, or the URL of one that runs already",
      },
    );
  }
  if (url !== undefined) return { url };
  const started = command ?? defaultCommand;
  return started === undefined ? undefined : { command: started, port: read(appPort, sources) ?? 0 };
}

function resolveTls(sources: readonly SettingSource[]): ResolvedOptions["tls"] {
  const { tlsCert, tlsKey } = SETTINGS;
  const certPath = readPath(tlsCert, sources);
  const keyPath = readPath(tlsKey, sources);
  if (certPath !== undefined && keyPath !== undefined) return { certPath, keyPath };
  const [given, missing] = certPath === undefined ? [tlsKey, tlsCert] : [tlsCert, tlsKey];
  const source = sourceOf(given, sources);
  if (source === undefined) return undefined;
  throw source.toError(`a certificate and its key go together, got ${source.nameOf(given.key)} alone`, {
    key: given.key,
    hint: `give ${source.nameOf(missing.key)} too`,
  });
}

function readLimits(sources: readonly SettingSource[]): Record<string, unknown> {
  return Object.fromEntries(LIMIT_SETTINGS.map((setting) => [setting.name, read(setting, sources)]));
}

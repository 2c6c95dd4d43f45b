import type { ResolvedOptions } from "./resolve-options.ts";

/** Settings by their place in the config, as texts that only make sense to compare. */
export type SettingValues = Readonly<Record<string, string>>;

/** The settings in force: flags and variables have had their say, so what they fix never differs. */
export function settingValues(options: ResolvedOptions): SettingValues {
  const { app, durableStreams: streams, tls, jwt } = options;
  const values: Record<string, unknown> = {
    "app.command": app !== undefined && "command" in app ? app.command : undefined,
    "app.port": app !== undefined && "command" in app ? app.port : undefined,
    "app.url": app !== undefined && "url" in app ? app.url : undefined,
    channels: options.channels,
    port: options.port,
    host: options.host,
    internalHost: options.internalHost,
    internalPort: options.internalPort,
    allowedOrigins: options.allowedOrigins,
    allowedHosts: options.allowedHosts,
    authorizeRetryMs: options.authorizeRetryMs,
    tls,
    "durableStreams.enabled": streams !== undefined,
    "durableStreams.path": streams?.path,
    "durableStreams.skipAuth": streams?.skipsAuthentication,
    "durableStreams.pollIntervalSecs": streams?.pollTimeoutMs,
    "durableStreams.sseTtlSecs": streams?.sseTtlMs,
    "durableStreams.publicStreams": streams?.publicStreams,
    "durableStreams.publicWrites": streams?.publicWrites,
    streamsSecret: options.streamsSecret,
    jwt: jwt && { ...jwt, key: String(jwt.key) },
    ...Object.fromEntries(Object.entries(options.limits).map(([name, value]) => [`limits.${name}`, value])),
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, JSON.stringify(value) ?? ""]));
}

/** The keys whose values differ. */
export function changedKeys(before: SettingValues, after: SettingValues): readonly string[] {
  return Object.keys(after).filter((key) => before[key] !== after[key]);
}

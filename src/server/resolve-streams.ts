import { KEY_SET_ALGORITHMS, SECRET_ALGORITHMS } from "../auth/jwt-options.ts";
import type { JwtOptions } from "../auth/jwt-options.ts";
import { oneOf } from "../shared/one-of.ts";
import type { DurableStreamsOptions } from "../transports/durable-streams/options.ts";
import { read, sourceOf } from "./read-setting.ts";
import type { SettingSource } from "./setting-source.ts";
import { STREAM_SETTINGS } from "./stream-settings.ts";

const DEFAULT_PATH = "/ds";
const DEFAULT_POLL_SECS = 10;
const DEFAULT_SSE_TTL_SECS = 60;

/**
 * How Durable Streams are served; `undefined`: not at all.
 *
 * @throws {ChanctlError} `usage`, `config_invalid`.
 */
export function resolveStreams(sources: readonly SettingSource[]): DurableStreamsOptions | undefined {
  const { enabled, path, skipAuth, pollIntervalSecs, sseTtlSecs, publicStreams, publicWrites } =
    STREAM_SETTINGS;
  const options: DurableStreamsOptions = {
    path: read(path, sources) ?? DEFAULT_PATH,
    pollTimeoutMs: (read(pollIntervalSecs, sources) ?? DEFAULT_POLL_SECS) * 1_000,
    sseTtlMs: (read(sseTtlSecs, sources) ?? DEFAULT_SSE_TTL_SECS) * 1_000,
    skipsAuthentication: read(skipAuth, sources) ?? false,
    publicStreams: read(publicStreams, sources) ?? false,
    publicWrites: read(publicWrites, sources) ?? false,
  };
  return (read(enabled, sources) ?? true) ? options : undefined;
}

/**
 * How the tokens of clients are verified; `undefined`: they are not asked for. The first source that says what with
 * decides: `--jwt-secret` replaces the config's `jwt.jwksUrl`.
 *
 * @throws {ChanctlError} `usage`, `config_invalid`: also for a secret beside a key set, for neither beside the rest,
 *   and for an algorithm that does not go with the key.
 */
export function resolveJwt(sources: readonly SettingSource[]): JwtOptions | undefined {
  const { jwtSecret, jwtJwksUrl, jwtAlgorithms, jwtAudience, jwtIssuer, jwtParam } = STREAM_SETTINGS;
  const key = sources.find(
    (source) => source.get(jwtSecret.key) !== undefined || source.get(jwtJwksUrl.key) !== undefined,
  );
  if (key === undefined) {
    assertUnused(sources);
    return undefined;
  }
  const secret = read(jwtSecret, [key]);
  const jwksUrl = read(jwtJwksUrl, [key]);
  if (secret !== undefined && jwksUrl !== undefined) {
    throw key.toError(`${key.nameOf(jwtSecret.key)} and ${key.nameOf(jwtJwksUrl.key)} exclude each other`, {
      key: jwtJwksUrl.key,
      hint: "give the secret that you sign with, or where the public keys are",
    });
  }
  const possible = jwksUrl === undefined ? SECRET_ALGORITHMS : KEY_SET_ALGORITHMS;
  const algorithms = read(jwtAlgorithms, sources) ?? possible;
  const misfit = algorithms.find((algorithm) => !possible.includes(algorithm));
  if (misfit !== undefined) {
    const source = sourceOf(jwtAlgorithms, sources) ?? key;
    throw source.toError(
      `${source.nameOf(jwtAlgorithms.key)} must be ${oneOf(possible)} with ${jwksUrl === undefined ? "a secret" : "a key set"}, got \`${misfit}\``,
      { key: jwtAlgorithms.key, hint: source.toLine(jwtAlgorithms.key, possible.slice(0, 1)) },
    );
  }
  const audience = read(jwtAudience, sources);
  const issuer = read(jwtIssuer, sources);
  const param = read(jwtParam, sources);
  return {
    key: jwksUrl ?? secret ?? "",
    algorithms,
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(param === undefined ? {} : { param }),
  };
}

/** Who writes `jwt: { secret: process.env.SECRET }` means tokens to be checked: unset, none would be (CWE-1188). */
function assertUnused(sources: readonly SettingSource[]): void {
  const { jwtSecret, jwtJwksUrl, jwtAlgorithms, jwtAudience, jwtIssuer, jwtParam } = STREAM_SETTINGS;
  const keys = ["jwt", ...[jwtAlgorithms, jwtAudience, jwtIssuer, jwtParam].map(({ key }) => key)];
  for (const source of sources) {
    const given = keys.findLast((key) => source.get(key) !== undefined);
    if (given === undefined) continue;
    throw source.toError(
      `${source.nameOf(given)} needs \`${jwtSecret.key}\` or \`${jwtJwksUrl.key}\`, got neither`,
      { key: given, hint: "give the secret that you sign with, or where the public keys are" },
    );
  }
}

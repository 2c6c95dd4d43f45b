import { parseDurationMs } from "../shared/duration.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { DEFAULT_LIMITS } from "../shared/limits.ts";
import { parseSizeBytes } from "../shared/size.ts";
import { parseHostNames } from "./host-names.ts";
import { STREAM_SETTINGS } from "./stream-settings.ts";

/** One setting of the server: flags, environment and config all give it through this one reading. */
export interface Setting<T> {
  /** Its place in the config: `app.command`. The names of its flag and variable are made from it. */
  readonly key: string;
  /** What a value must be, for the error: "a port from 0 to 65535". */
  readonly expected: string;
  /** The error of a value that does not fit. @default the source's: `usage` for flags, else `config_invalid` */
  readonly code?: ErrorCode;
  /** Reads the text of a flag or variable, or the config's value; `undefined` if it does not fit. */
  readonly parse: (value: unknown) => T | undefined;
}

const AUTHORIZE_RETRY_MAX_MS = 5 * 60_000;
const WAIT_MAX_MS = 24 * 60 * 60_000;

const port: Omit<Setting<number>, "key"> = {
  expected: "a port from 0 to 65535",
  parse: (value) => parseInteger(value, { min: 0, max: 65_535 }),
};
const text: Omit<Setting<string>, "key"> = {
  expected: "a text that is not empty",
  parse: (value) => (typeof value === "string" && value.trim() !== "" ? value : undefined),
};

interface Settings {
  readonly appCommand: Setting<string>;
  readonly appPort: Setting<number>;
  readonly appUrl: Setting<string>;
  readonly channels: Setting<string>;
  readonly port: Setting<number>;
  readonly host: Setting<string>;
  readonly internalHost: Setting<string>;
  readonly internalPort: Setting<number>;
  readonly allowedOrigins: Setting<readonly string[]>;
  readonly allowedHosts: Setting<readonly string[]>;
  readonly authorizeRetryMs: Setting<number>;
  readonly tlsCert: Setting<string>;
  readonly tlsKey: Setting<string>;
}

/** Every setting but the limits. */
export const SETTINGS: Settings = {
  appCommand: { ...text, key: "app.command", expected: "a shell command, such as `npm run start`" },
  appPort: { ...port, key: "app.port" },
  appUrl: {
    key: "app.url",
    expected: "a URL without a path, such as `http://127.0.0.1:3000`",
    parse: parseOrigin,
  },
  channels: { ...text, key: "channels", expected: "a path" },
  port: { ...port, key: "port" },
  host: { ...text, key: "host" },
  internalHost: { ...text, key: "internalHost" },
  internalPort: { ...port, key: "internalPort" },
  allowedOrigins: {
    key: "allowedOrigins",
    expected: "a list of origins, such as `https://app.example`",
    parse: (value: unknown) => parseOrigins(typeof value === "string" ? value.split(",") : value),
  },
  allowedHosts: {
    key: "allowedHosts",
    expected: "a list of host names, such as `shop.test`, or `.shop.test` with all below it",
    parse: parseHostNames,
  },
  authorizeRetryMs: {
    key: "authorizeRetryMs",
    expected: "a duration up to 5 min, such as `10s`, or its milliseconds",
    parse: (value: unknown) => {
      const milliseconds = parseMilliseconds(value);
      return milliseconds !== undefined && milliseconds <= AUTHORIZE_RETRY_MAX_MS ? milliseconds : undefined;
    },
  },
  tlsCert: { ...text, key: "tls.cert", expected: "a path" },
  tlsKey: { ...text, key: "tls.key", expected: "a path" },
};

/** One setting for each limit; the unit is in the limit's name. */
export const LIMIT_SETTINGS: readonly (Setting<number> & { readonly name: string })[] = Object.keys(
  DEFAULT_LIMITS,
).map((name) => ({ name, key: `limits.${name}`, ...limitReading(name) }));

/** Every key that a config may have, in full: `app.command`, `limits.maxMessageBytes`. */
export const CONFIG_KEYS: readonly string[] = [
  ...Object.values<Setting<unknown>>({ ...SETTINGS, ...STREAM_SETTINGS }),
  ...LIMIT_SETTINGS,
].map(({ key }) => key);

function limitReading(name: string): Omit<Setting<number>, "key"> {
  if (name.endsWith("Bytes")) {
    return { expected: "a size such as `64KiB`, or its bytes, above 0", parse: parsePositive(parseBytes) };
  }
  if (name.endsWith("Ms")) {
    return {
      expected: "a duration such as `10s`, or its milliseconds, above 0 and up to 24 h",
      parse: parsePositive(parseWait),
    };
  }
  return { expected: "a whole number above 0", parse: parsePositive(parseCount) };
}

function parsePositive(
  parse: (value: unknown) => number | undefined,
): (value: unknown) => number | undefined {
  return (value) => {
    const parsed = parse(value);
    return parsed === 0 ? undefined : parsed;
  };
}

function parseBytes(value: unknown): number | undefined {
  return parseCount(value) ?? (typeof value === "string" ? parseSizeBytes(value) : undefined);
}

function parseMilliseconds(value: unknown): number | undefined {
  return parseCount(value) ?? (typeof value === "string" ? parseDurationMs(value) : undefined);
}

/** Node's timers end at once where they are given more than some 24 days. */
function parseWait(value: unknown): number | undefined {
  const milliseconds = parseMilliseconds(value);
  return milliseconds !== undefined && milliseconds <= WAIT_MAX_MS ? milliseconds : undefined;
}

function parseCount(value: unknown): number | undefined {
  return parseInteger(value, { min: 0, max: Number.MAX_SAFE_INTEGER });
}

function parseInteger(value: unknown, { min, max }: { min: number; max: number }): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value.trim()) ? Number(value) : value;
  const isInRange =
    typeof number === "number" && Number.isSafeInteger(number) && number >= min && number <= max;
  return isInRange ? number : undefined;
}

function parseOrigins(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const origins = value.map(parseOrigin);
  return origins.every((origin) => origin !== undefined) ? origins : undefined;
}

/** A slash at the end is how people copy it; a path would promise what no origin has. */
function parseOrigin(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value.trim())) return undefined;
  const url = new URL(value.trim());
  const isOrigin = /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  return isOrigin ? url.origin : undefined;
}

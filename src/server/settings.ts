import { isIP } from "node:net";
import { parseDurationMs } from "../shared/duration.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { DEFAULT_LIMITS, LIMIT_KEYS } from "../shared/limits.ts";
import { parseSizeBytes } from "../shared/size.ts";
import { isHostName } from "./allowed-hosts.ts";
import { findBadHostName, parseHostNames } from "./host-names.ts";
import { LIMIT_DESCRIPTIONS } from "./limit-descriptions.ts";
import {
  ADDRESS_SCHEMA,
  COUNT_SCHEMA,
  DURATION_SCHEMA,
  HOST_NAME_SCHEMA,
  ORIGIN_SCHEMA,
  PORT_SCHEMA,
  SIZE_SCHEMA,
  TEXT_SCHEMA,
} from "./setting-schemas.ts";
import type { SettingSchema } from "./setting-schemas.ts";
import { misfitOf, toList } from "./setting-list.ts";
import type { Misfit } from "./setting-list.ts";
import { STREAM_SETTINGS } from "./stream-settings.ts";

/** One setting of the server: flags, environment and config all give it through this one reading. */
export interface Setting<T> {
  /** Its place in the config: `app.command`. The names of its flag and variable are made from it. */
  readonly key: string;
  /** What a value must be, for the error: "a port from 0 to 65535". */
  readonly expected: string;
  /** A value that is right, for the fix. @default the schema's default */
  readonly example?: unknown;
  /** The error of a value that does not fit. @default the source's: `usage` for flags, else `config_invalid` */
  readonly code?: ErrorCode;
  /** What it does for who writes the config, for the editor that shows the JSON Schema. */
  readonly description: string;
  /** What the config may have there: JSON Schema. A flag's or variable's text is not its matter. */
  readonly schema: SettingSchema;
  /** Reads the text of a flag or variable, or the config's value; `undefined` if it does not fit. */
  readonly parse: (value: unknown) => T | undefined;
  /** For a list that does not fit: which of it, and what was meant. `undefined`: it is not a list at all. */
  readonly findMisfit?: (value: unknown) => Misfit | undefined;
}

const AUTHORIZE_RETRY_MAX_MS = 5 * 60_000;
const WAIT_MAX_MS = 24 * 60 * 60_000;

const port: Omit<Setting<number>, "key" | "description"> = {
  expected: "a port from 0 to 65535",
  schema: PORT_SCHEMA,
  parse: (value) => parseInteger(value, { min: 0, max: 65_535 }),
};
const text: Omit<Setting<string>, "key" | "description"> = {
  expected: "a text that is not empty",
  schema: TEXT_SCHEMA,
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
  appCommand: {
    ...text,
    key: "app.command",
    example: "npm run start",
    expected: "a shell command, such as `npm run start`",
    description: "The shell command that starts the app. It is given its port as `PORT`.",
  },
  appPort: {
    ...port,
    key: "app.port",
    description: "The port that the app listens on; 0: chanctl picks one and passes it as `PORT`.",
    schema: { ...PORT_SCHEMA, default: 0 },
  },
  appUrl: {
    key: "app.url",
    expected: "a URL without a path, such as `http://127.0.0.1:3000`",
    description: "Where an app answers that somebody else starts.",
    schema: ORIGIN_SCHEMA,
    example: "http://127.0.0.1:3000",
    parse: parseOrigin,
  },
  channels: {
    ...text,
    key: "channels",
    expected: "a path",
    description: "The folder of channel files, from the config's folder.",
    schema: { ...TEXT_SCHEMA, default: "./channels" },
  },
  port: {
    ...port,
    key: "port",
    description: "The public port; 0 picks a free one.",
    schema: { ...PORT_SCHEMA, default: 4433 },
  },
  host: {
    key: "host",
    expected: "an address of this machine, such as `127.0.0.1`, or `true` for all",
    description:
      "The address to listen on, or `true` for all. Where nothing is said, `dev` listens on 127.0.0.1 and ::1, `serve` on 0.0.0.0.",
    schema: { anyOf: [ADDRESS_SCHEMA, { type: "boolean" }] },
    example: "127.0.0.1",
    parse: parseHost,
  },
  internalHost: {
    key: "internalHost",
    expected: "an address of this machine, such as `127.0.0.1`",
    parse: parseAddress,
    description: "The address of the internal listener, which the app talks to.",
    schema: { ...ADDRESS_SCHEMA, default: "127.0.0.1" },
  },
  internalPort: {
    ...port,
    key: "internalPort",
    example: 0,
    description:
      "The internal listener's port; 0 picks a free one. Without it the last run's is taken, if it is free.",
  },
  allowedOrigins: {
    key: "allowedOrigins",
    expected: "a list of origins, such as `https://app.example`",
    description: "Origins beside the server's own that browsers may connect from.",
    schema: { type: "array", items: ORIGIN_SCHEMA, default: [] },
    example: ["https://app.example"],
    parse: (value: unknown) => parseOrigins(toList(value)),
    findMisfit: (value) => misfitOf(value, (item) => parseOrigin(item) !== undefined),
  },
  allowedHosts: {
    key: "allowedHosts",
    expected: "a list of host names, such as `shop.test`, or `.shop.test` with all below it",
    description:
      "Names that browsers may reach the server by, beside `localhost`, all below it and addresses; `.shop.test` is with all below it.",
    schema: { type: "array", items: HOST_NAME_SCHEMA },
    example: ["shop.test"],
    parse: parseHostNames,
    findMisfit: findBadHostName,
  },
  authorizeRetryMs: {
    key: "authorizeRetryMs",
    expected: "a duration up to 5 min, such as `10s`, or its milliseconds",
    description: "How long the app is asked again while it refuses connections: a duration, or milliseconds.",
    schema: {
      anyOf: [{ type: "integer", minimum: 0, maximum: AUTHORIZE_RETRY_MAX_MS }, DURATION_SCHEMA],
      default: "10s",
    },
    parse: (value: unknown) => {
      const milliseconds = parseMilliseconds(value);
      return milliseconds !== undefined && milliseconds <= AUTHORIZE_RETRY_MAX_MS ? milliseconds : undefined;
    },
  },
  tlsCert: {
    ...text,
    key: "tls.cert",
    example: "cert.pem",
    expected: "a path",
    description: "The PEM file of the certificate that `serve` presents, from the config's folder.",
  },
  tlsKey: {
    ...text,
    key: "tls.key",
    example: "key.pem",
    expected: "a path",
    description: "The PEM file of the certificate's key, from the config's folder.",
  },
};

/** One setting for each limit; the unit is in the limit's name. */
export const LIMIT_SETTINGS: readonly (Setting<number> & { readonly name: string })[] = LIMIT_KEYS.map(
  (name) => {
    const { schema, ...reading } = limitReading(name);
    const described = { ...schema, default: DEFAULT_LIMITS[name] };
    return {
      name,
      key: `limits.${name}`,
      description: LIMIT_DESCRIPTIONS[name],
      schema: described,
      ...reading,
    };
  },
);

/** All settings that a config may have. */
export const ALL_SETTINGS: readonly Setting<unknown>[] = [
  ...Object.values<Setting<unknown>>({ ...SETTINGS, ...STREAM_SETTINGS }),
  ...LIMIT_SETTINGS,
];

/** Every key that a config may have, in full: `app.command`, `limits.maxMessageBytes`. */
export const CONFIG_KEYS: readonly string[] = ALL_SETTINGS.map(({ key }) => key);

function limitReading(name: string): Omit<Setting<number>, "key" | "description"> {
  if (name.endsWith("Bytes")) {
    return {
      expected: "a size such as `64KiB`, or its bytes, above 0",
      schema: { anyOf: [COUNT_SCHEMA, SIZE_SCHEMA] },
      parse: parsePositive(parseBytes),
    };
  }
  if (name.endsWith("Ms")) {
    return {
      expected: "a duration such as `10s`, or its milliseconds, above 0 and up to 24 h",
      schema: {
        anyOf: [{ ...COUNT_SCHEMA, maximum: WAIT_MAX_MS }, DURATION_SCHEMA],
      },
      parse: parsePositive(parseWait),
    };
  }
  return { expected: "a whole number above 0", schema: COUNT_SCHEMA, parse: parsePositive(parseCount) };
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

/** `true`: every address of IPv4, which is how phones come. */
function parseHost(value: unknown): string | undefined {
  if (value === true || value === "true") return "0.0.0.0";
  if (value === false || value === "false") return "127.0.0.1";
  return parseAddress(value);
}

/** An address, or a name of one. A name that ends in a number is an address to some and none to others: `0`, `127.1`. */
function parseAddress(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const host = value.trim();
  const isName = isHostName(host.toLowerCase()) && !/(?:^|\.)(?:\d+|0x[\da-f]*)$/i.test(host);
  return isIP(host) !== 0 || isName ? host : undefined;
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

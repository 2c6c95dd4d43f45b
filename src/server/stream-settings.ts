import { JWT_ALGORITHMS } from "../auth/jwt-options.ts";
import type { JwtAlgorithm } from "../auth/jwt-options.ts";
import { TEXT_SCHEMA } from "./setting-schemas.ts";
import type { Setting } from "./settings.ts";

const MAX_POLL_SECS = 3_600;
const MAX_SSE_TTL_SECS = 86_400;
/** Paths of ours that a mount must leave alone; compared in lower case, as they are when they are served. */
const OWN_PATHS = ["/channels", "/_chanctl"] as const;
/** Parameters of the protocol, which a token's cannot be named like. */
const PROTOCOL_PARAMETERS: ReadonlySet<string> = new Set(["offset", "live", "cursor", "signed"]);

const flag: Omit<Setting<boolean>, "key" | "description"> = {
  expected: "true or false",
  schema: { type: "boolean", default: false },
  parse: parseFlag,
};
const secret: Omit<Setting<string>, "key" | "description"> = {
  expected: "a secret that is not empty",
  example: "<secret>",
  schema: TEXT_SCHEMA,
  code: "config_invalid",
  parse: parseText,
};
const text: Omit<Setting<string>, "key" | "description"> = {
  expected: "a text that is not empty",
  schema: TEXT_SCHEMA,
  parse: parseText,
};

interface StreamSettings {
  readonly enabled: Setting<boolean>;
  readonly path: Setting<string>;
  readonly skipAuth: Setting<boolean>;
  readonly pollIntervalSecs: Setting<number>;
  readonly sseTtlSecs: Setting<number>;
  readonly publicStreams: Setting<boolean>;
  readonly publicWrites: Setting<boolean>;
  readonly streamsSecret: Setting<string>;
  readonly jwtSecret: Setting<string>;
  readonly jwtJwksUrl: Setting<URL>;
  readonly jwtAlgorithms: Setting<readonly JwtAlgorithm[]>;
  readonly jwtAudience: Setting<string>;
  readonly jwtIssuer: Setting<string>;
  readonly jwtParam: Setting<string>;
}

/** The settings of Durable Streams and of who may use them. */
export const STREAM_SETTINGS: StreamSettings = {
  enabled: {
    ...flag,
    key: "durableStreams.enabled",
    description: "Whether Durable Streams are served.",
    schema: { type: "boolean", default: true },
  },
  path: {
    key: "durableStreams.path",
    expected: "a path such as `/ds`, beside `/`, `/channels` and `/_chanctl`",
    description: "Under which path Durable Streams are served.",
    schema: {
      type: "string",
      pattern: String.raw`^(/(?!\.{1,2}(/|$))[\w.~-]+)+/?$`,
      not: { pattern: "^/([cC][hH][aA][nN][nN][eE][lL][sS]|_[cC][hH][aA][nN][cC][tT][lL])(/|$)" },
      default: "/ds",
    },
    parse: parseMount,
  },
  skipAuth: {
    ...flag,
    key: "durableStreams.skipAuth",
    description: "Clients need no JWT; whether they may is still asked.",
  },
  pollIntervalSecs: {
    key: "durableStreams.pollIntervalSecs",
    expected: `seconds above 0 and up to ${MAX_POLL_SECS}, such as \`10\` or \`0.5\``,
    description: "How long a long-poll waits, in seconds; decimals are allowed.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: MAX_POLL_SECS, default: 10 },
    parse: (value) => parseSecs(value, MAX_POLL_SECS),
  },
  sseTtlSecs: {
    key: "durableStreams.sseTtlSecs",
    expected: `seconds above 0 and up to ${MAX_SSE_TTL_SECS}, such as \`60\` or \`7.5\``,
    description:
      "How long an event stream lives before its client comes back, in seconds; decimals are allowed.",
    schema: { type: "number", exclusiveMinimum: 0, maximum: MAX_SSE_TTL_SECS, default: 60 },
    parse: (value) => parseSecs(value, MAX_SSE_TTL_SECS),
  },
  publicStreams: {
    ...flag,
    key: "durableStreams.publicStreams",
    description: "Anyone may read every stream, those of channels too.",
  },
  publicWrites: {
    ...flag,
    key: "durableStreams.publicWrites",
    description: "Anyone may create, append, close and delete, too: for tests and trusted networks.",
  },
  streamsSecret: {
    ...secret,
    key: "streamsSecret",
    description: "What signed stream tokens are signed with (`chanctl token stream`).",
  },
  jwtSecret: {
    ...secret,
    key: "jwt.secret",
    description: "The secret that JWTs are signed with, for HS256.",
  },
  jwtJwksUrl: {
    key: "jwt.jwksUrl",
    expected: "an http or https URL",
    example: "https://id.example/jwks.json",
    description: "The JWKS with the public keys, for RS256, ES256 and EdDSA.",
    schema: { type: "string", pattern: String.raw`^https?://[^\s/?#]+(/\S*)?$` },
    parse: parseHttpUrl,
  },
  jwtAlgorithms: {
    key: "jwt.algorithms",
    expected: `a list of ${JWT_ALGORITHMS.join(", ")}`,
    example: ["HS256"],
    description: "The only algorithms that are taken; without it all that go with the key.",
    schema: { type: "array", items: { enum: JWT_ALGORITHMS }, minItems: 1 },
    parse: parseAlgorithms,
  },
  jwtAudience: { ...text, key: "jwt.audience", example: "my-app", description: "What `aud` must hold." },
  jwtIssuer: {
    ...text,
    key: "jwt.issuer",
    example: "https://id.example",
    description: "What `iss` must be.",
  },
  jwtParam: {
    key: "jwt.param",
    expected: "letters, digits and `-`, and no parameter of Durable Streams",
    description: "Names the header and the parameter of JWTs: `jid` is `X-JID` and `?jid=`.",
    schema: {
      type: "string",
      pattern: String.raw`^[A-Za-z][\w-]{0,63}$`,
      not: { enum: [...PROTOCOL_PARAMETERS] },
      default: "jid",
    },
    parse: parseParam,
  },
};

function parseFlag(value: unknown): boolean | undefined {
  if (value === true || value === "true" || value === "1") return true;
  return value === false || value === "false" || value === "0" ? false : undefined;
}

function parseText(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function parseSecs(value: unknown, max: number): number | undefined {
  const isDecimal = typeof value === "string" && /^(?:\d+(?:\.\d+)?|\.\d+)$/.test(value.trim());
  const secs = isDecimal ? Number(value) : value;
  return typeof secs === "number" && secs > 0 && secs <= max ? secs : undefined;
}

/** A mount is compared with URLs as they come, so it has only characters that are never written otherwise. */
function parseMount(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+\/?$/.test(value)) return undefined;
  const path = value.replace(/\/$/, "");
  const lower = `${path.toLowerCase()}/`;
  return OWN_PATHS.some((own) => lower.startsWith(`${own}/`)) ? undefined : path;
}

function parseHttpUrl(value: unknown): URL | undefined {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

function parseAlgorithms(value: unknown): readonly JwtAlgorithm[] | undefined {
  const names: unknown = typeof value === "string" ? value.split(",").map((name) => name.trim()) : value;
  if (!Array.isArray(names) || names.length === 0) return undefined;
  const known = names.flatMap(
    (name: unknown) => JWT_ALGORITHMS.find((algorithm) => algorithm === name) ?? [],
  );
  return known.length === names.length ? known : undefined;
}

function parseParam(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^[A-Za-z][\w-]{0,63}$/.test(value)) return undefined;
  return PROTOCOL_PARAMETERS.has(value.toLowerCase()) ? undefined : value;
}

import type { Transport } from "./definition.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";
import type { Params } from "./stream-path.ts";

/** Where the app is asked; never reachable from outside. */
export const AUTHORIZE_PATH = "/channels/authorize";
export const ON_PUBLISH_PATH = "/channels/on-publish";

/** What a caller may do with a channel. */
export type Operation = "subscribe" | "publish";

/** What a caller may do with a raw stream. */
export type StreamOperation = "create" | "read" | "append" | "close" | "delete";

/** All of them. */
export const STREAM_OPERATIONS: readonly StreamOperation[] = ["create", "read", "append", "close", "delete"];

/** What a JWT may allow; `subscribe` is to make subscriptions of what its pattern covers. */
export type ClaimedOperation = StreamOperation | "subscribe";

/** All of them. */
export const CLAIMED_OPERATIONS: readonly ClaimedOperation[] = [...STREAM_OPERATIONS, "subscribe"];

/** What a caller came over: `ds` is Durable Streams. */
export type CallTransport = Transport | "http" | "ds";

/** What a caller's credential header said: `Authorization: Bearer abc` is `{ scheme: "Bearer", value: "abc" }`. */
export interface HeaderCredential {
  /** Absent where the header is not of the form `<scheme> <value>`. */
  readonly scheme?: string;
  readonly value: string;
}

/** What the app is shown of a caller. */
export interface CallerFields {
  readonly header?: HeaderCredential;
  readonly cookie?: string;
  readonly origin?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  /** Whom a JWT names that the broker has verified. */
  readonly subject?: string;
}

/** Broker to app: may this caller? */
export interface AuthorizeRequest extends CallerFields {
  readonly version: 1;
  readonly channel: string;
  readonly params: Params;
  readonly operation: Operation;
  readonly transport: CallTransport;
}

/** Broker to app: may this caller do this with a raw stream? */
export interface AuthorizeStreamRequest extends CallerFields {
  readonly version: 1;
  /** The stream's path in its one form: `jobs/42`. */
  readonly stream: string;
  readonly operation: StreamOperation;
  readonly transport: "ds";
}

/** Settings of one connection that the app may choose. */
export type ConnectionOverrides = Partial<
  Pick<Lifecycle, "replayWindowMs" | "keepaliveIntervalMs" | "maxConnectionLifetimeMs" | "inactivityTtlMs">
>;

const OVERRIDE_KEYS = [
  "replayWindowMs",
  "keepaliveIntervalMs",
  "maxConnectionLifetimeMs",
  "inactivityTtlMs",
] as const satisfies readonly (keyof ConnectionOverrides)[];

/** App to broker: yes, as whom and within what bounds. */
export interface Allowed extends ConnectionOverrides {
  readonly ok: true;
  readonly subject?: string;
  /** Left out: all that the transport has. */
  readonly operations?: readonly string[];
  /** When the grant ends, in ms since 1970. */
  readonly expiresAt?: number;
}

/** App to broker: no, and why. */
export interface Rejected {
  readonly ok: false;
  readonly reason?: string;
  readonly status?: 401 | 403 | 404;
}

export type AuthorizeAnswer = Allowed | Rejected;

/**
 * Reads the app's answer. Only a well-formed one is an answer: a wrong type anywhere makes it none, so that
 * a slip in the app never lets someone in for longer or as somebody else.
 *
 * @returns `undefined` if it is not a well-formed answer.
 */
export function parseAuthorizeAnswer(value: unknown): AuthorizeAnswer | undefined {
  if (!isRecord(value)) return undefined;
  if (value["ok"] === false) return parseRejected(value);
  if (value["ok"] !== true) return undefined;
  const { subject, operations, expiresAt } = value;
  if (!isAbsentOr(subject, isNonEmptyString) || !isAbsentOr(operations, isStringArray)) return undefined;
  if (!isAbsentOr(expiresAt, isFiniteNumber)) return undefined;
  const overrides: Partial<Record<keyof ConnectionOverrides, number>> = {};
  for (const key of OVERRIDE_KEYS) {
    const override = value[key];
    if (!isAbsentOr(override, isFiniteNumber)) return undefined;
    if (override !== undefined && override !== null) overrides[key] = override;
  }
  return {
    ok: true,
    ...(isNonEmptyString(subject) ? { subject } : {}),
    ...(isStringArray(operations) ? { operations } : {}),
    ...(isFiniteNumber(expiresAt) ? { expiresAt } : {}),
    ...overrides,
  };
}

function parseRejected(value: Readonly<Record<string, unknown>>): Rejected {
  const { reason, status } = value;
  return {
    ok: false,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(status === 401 || status === 403 || status === 404 ? { status } : {}),
  };
}

/** Broker to app: a client wants to publish this. */
export interface OnPublishRequest {
  readonly version: 1;
  readonly channel: string;
  readonly params: Params;
  readonly subject?: string;
  readonly transport: CallTransport;
  readonly message: { readonly type: string; readonly data: unknown };
}

export type OnPublishAnswer =
  | { readonly ok: true; readonly message?: { readonly type: string; readonly data: unknown } }
  | Rejected;

/**
 * Reads the app's answer about a client's message.
 *
 * @returns `undefined` if it is not a well-formed answer.
 */
export function parseOnPublishAnswer(value: unknown): OnPublishAnswer | undefined {
  if (!isRecord(value)) return undefined;
  if (value["ok"] === false) return parseRejected(value);
  if (value["ok"] !== true) return undefined;
  const message = value["message"];
  if (message === undefined || message === null) return { ok: true };
  if (!isRecord(message) || !isNonEmptyString(message["type"]) || !("data" in message)) return undefined;
  return { ok: true, message: { type: message["type"], data: message["data"] } };
}

function isAbsentOr<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined | null {
  return value === undefined || value === null || is(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

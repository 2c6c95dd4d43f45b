import { ChanctlError } from "../shared/errors.ts";
import { clampSetting } from "../shared/lifecycle.ts";
import type { Lifecycle } from "../shared/lifecycle.ts";
import type { LogEntry, Logger } from "../shared/logger.ts";
import { parseAuthorizeAnswer, parseOnPublishAnswer } from "../protocol/app-call.ts";
import { objectMembers } from "../protocol/json-text.ts";
import type { Allowed, ConnectionOverrides, Operation, Rejected } from "../protocol/app-call.ts";
import type { ChannelDefinition, Transport } from "../protocol/definition.ts";
import type { AppAnswer } from "./app-client.ts";

/** What a caller may do, as whom, and within what bounds. */
export interface Grant<Allowable extends string = Operation> {
  readonly subject?: string;
  readonly operations: ReadonlySet<Allowable>;
  /** When it ends, in ms since 1970. */
  readonly expiresAt?: number;
  /** What the app chose for this connection, within the bounds; the rest is as the channel's lifecycle says. */
  readonly overrides: ConnectionOverrides;
  /** When the app was asked, by `performance.now()`: it could not know of anything later. */
  readonly askedAt: number;
}

interface GrantContext<Allowable extends string> {
  /** Of the channel, or of the stream. */
  readonly name: string;
  /** All that can be allowed, and is where the answer does not say. */
  readonly possible: readonly Allowable[];
  /** Is told what of the answer was out of bounds. */
  readonly logger: Logger;
  /** Called where the app says by HTTP 404 that it does not know the channel. */
  readonly onUnknown?: (() => void) | undefined;
}

/** What callers can do on a channel of this transport. */
export const CHANNEL_OPERATIONS: Readonly<Record<Transport, readonly Operation[]>> = {
  sse: ["subscribe"],
  ws: ["subscribe", "publish"],
};

const REFUSAL_CODES = { 401: "unauthenticated", 403: "forbidden", 404: "channel_unknown" } as const;

/** What anyone may do on a public channel. */
export function publicGrant({ transport }: ChannelDefinition): Grant {
  return { operations: new Set(CHANNEL_OPERATIONS[transport]), overrides: {}, askedAt: performance.now() };
}

/**
 * Reads the app's answer to an authorize call. Fails closed: only a well-formed `"ok": true` allows.
 *
 * @throws {ChanctlError} `unauthenticated`, `forbidden`, `channel_unknown` as the app says; `unauthenticated` for a
 *   grant that is over already; `app_unavailable` for anything that is no answer, never the code of a rejection.
 */
export function toGrant<Allowable extends string>(
  answer: AppAnswer,
  context: GrantContext<Allowable>,
): Grant<Allowable> {
  assertNotRefused(answer, context);
  const parsed = answer.status === 200 ? parseAuthorizeAnswer(answer.body) : undefined;
  if (parsed === undefined) throw noAnswer(answer, "authorize");
  if (!parsed.ok) throw refusal(parsed);
  assertNotOver(parsed, context);
  return { ...grantOf(parsed, context), askedAt: answer.askedAt };
}

/**
 * Reads the app's answer to an on-publish call.
 *
 * @returns The JSON text of the message that the app wants stored; `undefined` if it is the one that it was shown.
 * @throws {ChanctlError} as `toGrant`.
 */
export function toPublishAnswer(
  answer: AppAnswer,
  context: { readonly onUnknown: () => void },
): string | undefined {
  assertNotRefused(answer, context);
  const parsed = answer.status === 200 ? parseOnPublishAnswer(answer.body) : undefined;
  if (parsed === undefined) throw noAnswer(answer, "on-publish");
  if (!parsed.ok) throw refusal(parsed);
  return parsed.message === undefined ? undefined : objectMembers(answer.text).get("message");
}

function grantOf<Allowable extends string>(
  allowed: Allowed,
  context: GrantContext<Allowable>,
): Omit<Grant<Allowable>, "askedAt"> {
  const { subject, operations, expiresAt } = allowed;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    operations: new Set(context.possible.filter((operation) => operations?.includes(operation) ?? true)),
    overrides: clampOverrides(allowed, context),
  };
}

/** A grant that is over when it is given is none: let in and sent back at once, a client would come again and again. */
function assertNotOver({ expiresAt }: Allowed, { name, logger }: GrantContext<string>): void {
  if (expiresAt === undefined || expiresAt > Date.now()) return;
  const message = `\`expiresAt\` must be a time to come, in ms since 1970, got ${expiresAt}`;
  logger({
    level: "warn",
    event: "grant-over",
    message: `the app's answer for ${name}: ${message}`,
    fields: { channel: name, expiresAt },
  });
  throw new ChanctlError("unauthenticated", `what the app allows is over: ${message}`);
}

function clampOverrides(allowed: Allowed, context: GrantContext<string>): ConnectionOverrides {
  const { replayWindowMs, keepaliveIntervalMs, maxConnectionLifetimeMs, inactivityTtlMs } = allowed;
  const given = Object.entries({
    replayWindowMs,
    keepaliveIntervalMs,
    maxConnectionLifetimeMs,
    inactivityTtlMs,
  });
  return Object.fromEntries(
    given.flatMap(([key, value]) =>
      value === undefined
        ? []
        : [[key, clampOverride({ setting: key as keyof Lifecycle, given: value }, context)]],
    ),
  );
}

function clampOverride(
  { setting, given }: { setting: keyof Lifecycle; given: number },
  { name, logger }: GrantContext<string>,
): number {
  const used = clampSetting(setting, given);
  if (used !== given) {
    logger({
      level: "warn",
      event: "grant-clamped",
      message: `the app gave \`${setting}\` as ${given} for ${name}; ${used} is used`,
      fields: { channel: name, setting, given, used },
    });
  }
  return used;
}

/** A 404 that the SDK did not write is a refusal all the same, but hardly one that anybody meant. */
const NOT_MOUNTED: LogEntry = {
  level: "warn",
  event: "authorize-not-found",
  message:
    "the app answered 404 to POST /channels/authorize: is the SDK mounted before its other routes, as in " +
    "`app.use(channels.middleware)`, and is its CHANCTL_TOKEN ours?",
};

/** The app's own 401, 403 and 404 mean the same as `"ok": false` with that status. */
function assertNotRefused(
  { status, body }: AppAnswer,
  { logger, onUnknown }: Partial<Pick<GrantContext<string>, "logger" | "onUnknown">>,
): void {
  if (status !== 401 && status !== 403 && status !== 404) return;
  const parsed = parseAuthorizeAnswer(body);
  if (status === 404) {
    if (parsed === undefined) logger?.(NOT_MOUNTED);
    else onUnknown?.();
  }
  const reason = parsed?.ok === false ? parsed.reason : undefined;
  throw refusal({ ok: false, status, ...(reason === undefined ? {} : { reason }) });
}

function refusal({ reason, status = 403 }: Rejected): ChanctlError {
  return new ChanctlError(REFUSAL_CODES[status], reason ?? "the app refused");
}

function noAnswer({ status }: AppAnswer, call: string): ChanctlError {
  const what = status === 200 ? "something that is not an answer" : `${status}`;
  return new ChanctlError("app_unavailable", `the app answered the ${call} call with ${what}`, {
    retryAfterSecs: 1,
  });
}

import {
  AUTHORIZE_PATH,
  ON_PUBLISH_PATH,
  parseAuthorizeAnswer,
  parseOnPublishAnswer,
} from "../protocol/app-call.ts";
import type { AuthorizeAnswer, OnPublishAnswer, Rejected } from "../protocol/app-call.ts";
import { ChanctlError } from "../shared/errors.ts";
import { isFromBroker } from "./app-token.ts";
import type { AnyChannel } from "./channel.ts";
import { brokerAccess } from "./environment.ts";
import {
  isStreamCall,
  parseAuthorizeRequest,
  parseAuthorizeStreamRequest,
  parseOnPublishRequest,
} from "./parse-call.ts";
import type { AuthorizeStream } from "./stream-request.ts";

/** Finds a channel that the app has defined. */
export type FindChannel = (name: string) => Promise<AnyChannel | undefined>;

/** Who answers the broker. */
export interface Answerers {
  readonly findChannel: FindChannel;
  /** Answers for raw streams. @default nobody may do anything with one, but for what the broker's settings allow */
  readonly authorizeStream?: AuthorizeStream | undefined;
}

/** A request to the app, as far as it matters whether it is a call of the broker. */
export interface AppCall {
  readonly method: string | undefined;
  readonly path: string;
  readonly authorization: string | undefined;
  /** The body as parsed JSON. Only called once the broker is known to have sent it. */
  readBody(): Promise<unknown>;
}

/** What the app answers. */
export interface AppAnswer {
  readonly status: number;
  /** JSON text; absent: an empty body. */
  readonly json?: string;
}

const NOT_FOUND: AppAnswer = { status: 404 };

/** Whether a path is one that the broker calls; all others are the app's own. */
export function isCallPath(path: string): boolean {
  return path === AUTHORIZE_PATH || path === ON_PUBLISH_PATH;
}

/**
 * Answers a call of the broker by asking the channel's `verify` or `onPublish`.
 *
 * Fails closed: whatever is thrown on the way is logged once and answered with a bare 500, which the broker never takes
 * for a yes. To anyone but the broker there is nothing here (404). A channel that the app was not given is a 404 with
 * the reason: the broker's log tells of it, not the app's.
 */
export async function answerCall(call: AppCall, answerers: Answerers): Promise<AppAnswer> {
  if (call.method !== "POST" || !isFromBroker(call.authorization, brokerAccess().token)) return NOT_FOUND;
  try {
    const body = await call.readBody();
    const answer = await (call.path === AUTHORIZE_PATH
      ? authorize(body, answerers)
      : approve(body, answerers));
    // Within the try: a hook may return what JSON has no form for, a `1n` or a cycle.
    if (typeof answer === "string") return { status: 404, json: JSON.stringify(unknownChannel(answer)) };
    return { status: 200, json: JSON.stringify(answer) };
  } catch (thrown) {
    console.error(
      `chanctl: ${call.path} failed:`,
      thrown instanceof ChanctlError ? reasonOf(thrown) : thrown,
    );
    return { status: 500 };
  }
}

/** Where the fault is known, so is what to do; only another's says no more than where it was thrown. */
function reasonOf({ message, hint }: ChanctlError): string {
  return hint === undefined ? message : `${message}\n  fix: ${hint}`;
}

/** The name of a channel that the app was not given. */
type UnknownChannel = string;

async function authorize(
  body: unknown,
  { findChannel, authorizeStream }: Answerers,
): Promise<AuthorizeAnswer | UnknownChannel> {
  if (isStreamCall(body)) return answerForStream(body, authorizeStream);
  const { channel: name, version: _, ...request } = parseAuthorizeRequest(body);
  const channel = await findChannel(name);
  if (channel === undefined) return name;
  if (channel.verify === undefined) return channel.public === true ? { ok: true } : denied(name);
  const answer = parseAuthorizeAnswer(await channel.verify(request));
  if (answer === undefined) {
    throw badAnswer(name, { hook: "verify", expected: '`allow({ subject: "…" })` or `reject("…")`' });
  }
  return answer;
}

async function answerForStream(
  body: unknown,
  authorizeStream: AuthorizeStream | undefined,
): Promise<AuthorizeAnswer> {
  const { version: _, ...request } = parseAuthorizeStreamRequest(body);
  if (authorizeStream === undefined)
    return { ok: false, reason: "the app has no `authorizeStream`", status: 403 };
  const answer = parseAuthorizeAnswer(await authorizeStream(request));
  if (answer !== undefined) return answer;
  throw new ChanctlError(
    "definition_invalid",
    '`authorizeStream` must return `allow({ subject: "…" })` or `reject("…")`',
  );
}

async function approve(body: unknown, { findChannel }: Answerers): Promise<OnPublishAnswer | UnknownChannel> {
  const { channel: name, version: _, ...request } = parseOnPublishRequest(body);
  const channel = await findChannel(name);
  if (channel === undefined) return name;
  const verdict = await channel.onPublish?.(request);
  if (verdict === undefined) return { ok: true };
  if (!isObject(verdict)) throw badPublishAnswer(name);
  const answer = parseOnPublishAnswer("ok" in verdict ? verdict : { ok: true, message: verdict });
  if (answer === undefined) throw badPublishAnswer(name);
  return answer;
}

function unknownChannel(name: UnknownChannel): Rejected {
  return { ok: false, status: 404, reason: `the app does not know the channel \`${name}\`` };
}

function denied(name: string): AuthorizeAnswer {
  return { ok: false, reason: `the channel ${name} has no \`verify\`` };
}

/** By its type it is one; a hook in plain JavaScript may still return `null`. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function badPublishAnswer(name: string): ChanctlError {
  return badAnswer(name, { hook: "onPublish", expected: 'a message, nothing, or `reject("…")`' });
}

function badAnswer(
  name: string,
  { hook, expected }: { readonly hook: string; readonly expected: string },
): ChanctlError {
  return new ChanctlError(
    "definition_invalid",
    `\`${hook}\` of the channel \`${name}\` must return ${expected}`,
  );
}

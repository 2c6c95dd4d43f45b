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
import { badGrant, badVerdict, notJson } from "./bad-answer.ts";
import { brokerAccess } from "./environment.ts";
import {
  isStreamCall,
  parseAuthorizeRequest,
  parseAuthorizeStreamRequest,
  parseOnPublishRequest,
} from "./parse-call.ts";
import type { AuthorizeStream } from "./stream-request.ts";
import { withFix } from "./with-fix.ts";

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
    return await (call.path === AUTHORIZE_PATH ? authorize(body, answerers) : approve(body, answerers));
  } catch (thrown) {
    // Where the fault is known, so is what to do; only another's says no more than where it was thrown.
    console.error(`chanctl: ${call.path} failed:`, thrown instanceof ChanctlError ? withFix(thrown) : thrown);
    return { status: 500 };
  }
}

async function authorize(body: unknown, { findChannel, authorizeStream }: Answerers): Promise<AppAnswer> {
  if (isStreamCall(body)) return answered(await answerForStream(body, authorizeStream));
  const { channel: name, version: _, ...request } = parseAuthorizeRequest(body);
  const channel = await findChannel(name);
  if (channel === undefined) return unknownChannel(name);
  if (channel.verify === undefined) return answered(channel.public === true ? { ok: true } : denied(name));
  const came: unknown = await channel.verify(request);
  const answer = parseAuthorizeAnswer(came);
  if (answer === undefined) throw badGrant(`\`verify\` of the channel \`${name}\``, came);
  return answered(answer);
}

async function answerForStream(
  body: unknown,
  authorizeStream: AuthorizeStream | undefined,
): Promise<AuthorizeAnswer> {
  const { version: _, ...request } = parseAuthorizeStreamRequest(body);
  if (authorizeStream === undefined)
    return { ok: false, reason: "the app has no `authorizeStream`", status: 403 };
  const came: unknown = await authorizeStream(request);
  const answer = parseAuthorizeAnswer(came);
  if (answer === undefined) throw badGrant("`authorizeStream`", came);
  return answer;
}

async function approve(body: unknown, { findChannel }: Answerers): Promise<AppAnswer> {
  const { channel: name, version: _, ...request } = parseOnPublishRequest(body);
  const channel = await findChannel(name);
  if (channel === undefined) return unknownChannel(name);
  const verdict = await channel.onPublish?.(request);
  if (verdict === undefined) return answered({ ok: true });
  if (!isObject(verdict)) throw badVerdict(name, verdict);
  const answer = parseOnPublishAnswer("ok" in verdict ? verdict : { ok: true, message: verdict });
  if (answer === undefined) throw badVerdict(name, verdict);
  try {
    return answered(answer);
  } catch (cause) {
    throw notJson(name, cause); // a `1n`, or a cycle
  }
}

function answered(answer: AuthorizeAnswer | OnPublishAnswer): AppAnswer {
  return { status: 200, json: JSON.stringify(answer) };
}

function unknownChannel(name: string): AppAnswer {
  const answer: Rejected = {
    ok: false,
    status: 404,
    reason: `the app does not know the channel \`${name}\``,
  };
  return { status: 404, json: JSON.stringify(answer) };
}

function denied(name: string): AuthorizeAnswer {
  return { ok: false, reason: `the channel ${name} has no \`verify\`` };
}

/** By its type it is one; a hook in plain JavaScript may still return `null`. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

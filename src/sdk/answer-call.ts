import {
  AUTHORIZE_PATH,
  ON_PUBLISH_PATH,
  parseAuthorizeAnswer,
  parseOnPublishAnswer,
} from "../protocol/app-call.ts";
import type { AuthorizeAnswer, OnPublishAnswer } from "../protocol/app-call.ts";
import { ChanctlError } from "../shared/errors.ts";
import { isFromBroker } from "./app-token.ts";
import type { AnyChannel } from "./channel.ts";
import { brokerAccess } from "./environment.ts";
import { parseAuthorizeRequest, parseOnPublishRequest } from "./parse-call.ts";

/** Finds a channel that the app has defined. */
export type FindChannel = (name: string) => Promise<AnyChannel | undefined>;

/** A request to the app, as far as it matters whether it is a call of the broker. */
export interface AppCall {
  readonly method: string | undefined;
  readonly path: string;
  readonly authorization: string | undefined;
  /** The body as parsed JSON. Only called once the broker is known to have sent it. */
  readBody(): Promise<unknown>;
}

/** What the app answers; no body is an empty one. */
export interface AppAnswer {
  readonly status: number;
  readonly body?: AuthorizeAnswer | OnPublishAnswer;
}

const NOT_FOUND: AppAnswer = { status: 404 };

/** Whether a path is one that the broker calls; all others are the app's own. */
export function isCallPath(path: string): boolean {
  return path === AUTHORIZE_PATH || path === ON_PUBLISH_PATH;
}

/**
 * Answers a call of the broker by asking the channel's `verify` or `onPublish`.
 *
 * Fails closed: whatever is thrown on the way is logged once, with its stack, and answered with a bare 500,
 * which the broker never takes for a yes. To anyone but the broker there is nothing here (404).
 */
export async function answerCall(call: AppCall, findChannel: FindChannel): Promise<AppAnswer> {
  if (call.method !== "POST" || !isFromBroker(call.authorization, brokerAccess().token)) return NOT_FOUND;
  try {
    const body = await call.readBody();
    const answer = call.path === AUTHORIZE_PATH ? authorize(body, findChannel) : approve(body, findChannel);
    return { status: 200, body: await answer };
  } catch (thrown) {
    console.error(`chanctl: ${call.path} failed:`, thrown);
    return { status: 500 };
  }
}

async function authorize(body: unknown, findChannel: FindChannel): Promise<AuthorizeAnswer> {
  const { channel: name, version: _, ...request } = parseAuthorizeRequest(body);
  const channel = await requireChannel(name, findChannel);
  if (channel.verify === undefined) return channel.public === true ? { ok: true } : denied(name);
  const answer = parseAuthorizeAnswer(await channel.verify(request));
  if (answer === undefined) throw badAnswer(name, "verify", '`allow({ subject: "…" })` or `reject("…")`');
  return answer;
}

async function approve(body: unknown, findChannel: FindChannel): Promise<OnPublishAnswer> {
  const { channel: name, version: _, ...request } = parseOnPublishRequest(body);
  const channel = await requireChannel(name, findChannel);
  const verdict = await channel.onPublish?.(request);
  if (verdict === undefined) return { ok: true };
  const answer = parseOnPublishAnswer("ok" in verdict ? verdict : { ok: true, message: verdict });
  if (answer === undefined) throw badAnswer(name, "onPublish", 'a message, nothing, or `reject("…")`');
  return answer;
}

async function requireChannel(name: string, findChannel: FindChannel): Promise<AnyChannel> {
  const channel = await findChannel(name);
  if (channel !== undefined) return channel;
  throw new ChanctlError("channel_unknown", `the app does not know the channel \`${name}\``, {
    hint: 'give it to `createChannels({ … })`, or use `loadChannels("./channels")`, and restart the app',
  });
}

function denied(name: string): AuthorizeAnswer {
  return { ok: false, reason: `the channel ${name} has no \`verify\`` };
}

function badAnswer(name: string, hook: string, expected: string): ChanctlError {
  return new ChanctlError(
    "definition_invalid",
    `\`${hook}\` of the channel \`${name}\` must return ${expected}`,
  );
}

import type { Grant } from "../auth/grant.ts";
import type { CallTransport } from "../protocol/app-call.ts";
import { assertDataFits, parseDraft } from "../protocol/message.ts";
import type { Draft } from "../protocol/message.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { toCurrent } from "./channel-target.ts";
import type { ChannelTarget } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";
import { isSameData } from "./same-data.ts";

interface Shown {
  readonly draft: Draft;
  readonly target: ChannelTarget;
  readonly grant: Pick<Grant, "subject">;
  readonly transport: CallTransport;
  readonly signal: AbortSignal;
}

/** What is wrong with a message; no answer of the app's is turned into one of these. */
const BAD_MESSAGE: ReadonlySet<ErrorCode> = new Set(["malformed", "message_invalid", "too_big"]);
const MADE = "the message";

/**
 * Shows the app's `onPublish` a client's message.
 *
 * @returns What is to be stored.
 * @throws {ChanctlError} as `Authorizer.onPublish` and `toCurrent`; `disconnected` if the app has meanwhile
 *   disconnected the sender; `malformed`, `too_big`, `message_invalid` for what the app has made of it, which the log
 *   hears of, too.
 */
export async function showMessage(context: TransportContext, shown: Shown): Promise<Draft> {
  try {
    return await show(context, shown);
  } catch (thrown) {
    if (!(thrown instanceof ChanctlError) || !BAD_MESSAGE.has(thrown.code)) throw thrown;
    const { code, message, hint } = thrown;
    const mistake = new ChanctlError(code, `the app's \`onPublish\` made what cannot be stored: ${message}`, {
      cause: thrown,
      ...(hint === undefined ? {} : { hint }),
    });
    const channel = shown.target.channel.definition.name;
    context.authorizer.warn({
      level: "warn",
      event: "hook-mistake",
      message: `${channel}: ${mistake.message}`,
      fields: { channel, code, hint },
    });
    throw mistake;
  }
}

async function show(
  context: TransportContext,
  { draft, target, grant, transport, signal }: Shown,
): Promise<Draft> {
  const askedAt = performance.now();
  const { subject } = grant;
  const made = await context.authorizer.onPublish({
    definition: target.channel.definition,
    params: target.params,
    subject,
    transport,
    message: draft,
    signal,
  });
  const { channel } = toCurrent(context.registry, target);
  if (!context.connections.isCurrent({ channel: channel.definition.name, subject }, { askedAt })) {
    throw new ChanctlError("disconnected", "you were disconnected while the app was shown the message", {
      retryAfterSecs: 1,
    });
  }
  if (made === undefined) return draft;
  const changed = parseDraft(made, MADE, { maxMessageBytes: Number.POSITIVE_INFINITY });
  // What comes back as it was keeps the writer's bytes, however the app writes JSON: it may well be longer.
  if (changed.type === draft.type && isSameData(changed.dataText, draft.dataText)) return draft;
  // What the app made of it is checked like anything else: a slip there must not be stored.
  assertDataFits(changed, MADE, context.limits);
  channel.checkMessage({ type: changed.type, data: JSON.parse(changed.dataText) });
  return changed;
}

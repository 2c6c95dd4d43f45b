import { parseAuthorizeAnswer } from "../protocol/app-call.ts";
import { describeShape } from "../shared/describe-shape.ts";
import { ChanctlError, messageOf } from "../shared/errors.ts";

interface Field {
  readonly expected: string;
  readonly hint: string;
}

const GRANT_FIELDS: Readonly<Record<string, Field>> = {
  subject: { expected: "a text that is not empty", hint: "allow({ subject: String(user.id) })" },
  operations: {
    expected: "an array of texts",
    hint: 'allow({ operations: ["subscribe"] })     or leave it out for all',
  },
  expiresAt: {
    expected: "a number of ms since 1970",
    hint: "allow({ expiresAt: Date.now() + 60 * 60_000 })     an hour from now",
  },
};

/**
 * Says what of the answer of `verify` or `authorizeStream` is wrong.
 *
 * @param hook by which name the app's developer knows it.
 * @param came what is no answer, as `parseAuthorizeAnswer` says.
 */
export function badGrant(hook: string, came: unknown): ChanctlError {
  const wrong = wrongField(came);
  if (wrong === undefined) {
    const message = `${hook} must return \`allow({ subject: "…" })\` or \`reject("…")\`, got ${describeShape(came)}`;
    return new ChanctlError("definition_invalid", message, {
      hint: "return allow({ subject: user.id })     on each way through it that is not `reject`",
    });
  }
  const [key, value] = wrong;
  const { expected, hint } = GRANT_FIELDS[key] ?? {
    expected: "a number of ms",
    hint: `allow({ ${key}: 60_000 })`,
  };
  const message = `the \`${key}\` that ${hook} returns must be ${expected}, got ${describeShape(value)}`;
  return new ChanctlError("definition_invalid", message, { hint });
}

/** The field that makes a grant none: one that would do so alone. */
function wrongField(came: unknown): readonly [key: string, value: unknown] | undefined {
  if (typeof came !== "object" || came === null || !("ok" in came) || came.ok !== true) return undefined;
  return Object.entries(came).find(
    ([key, value]) => key !== "ok" && parseAuthorizeAnswer({ ok: true, [key]: value }) === undefined,
  );
}

/** Says that what `onPublish` of a channel has returned is no answer. */
export function badVerdict(channel: string, came: unknown): ChanctlError {
  const message = `\`onPublish\` of the channel \`${channel}\` must return a message with \`type\` and \`data\`, nothing, or \`reject("…")\`, got ${describeShape(came)}`;
  return new ChanctlError("definition_invalid", message, {
    hint: "return { type: message.type, data: message.data }     or no `return` at all, to store it as it came",
  });
}

/** Says that what `onPublish` of a channel has returned cannot be sent. */
export function notJson(channel: string, cause: unknown): ChanctlError {
  // The rest of what JSON says of a cycle is a drawing of the keys.
  const [reason] = messageOf(cause).split("\n", 1);
  const message = `\`data\` of the message that \`onPublish\` of the channel \`${channel}\` returns must be JSON: ${reason}`;
  return new ChanctlError("definition_invalid", message, {
    cause,
    hint: "leave out what JSON cannot say, such as a BigInt or a value that holds itself",
  });
}

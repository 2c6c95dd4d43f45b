import type { StreamOperation } from "../protocol/app-call.ts";
import { parseAuthorizeAnswer } from "../protocol/app-call.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import type { AppAnswer } from "./app-client.ts";
import { toGrant } from "./grant.ts";
import type { Grant } from "./grant.ts";

interface StreamGrantContext {
  readonly name: string;
  readonly possible: readonly StreamOperation[];
  readonly logger: Logger;
}

/**
 * Reads the app's answer about a raw stream. An app that has only channels need not know of streams: its bare 404 is a
 * no, and nothing is wrong with it.
 *
 * @throws {ChanctlError} as `toGrant`; `stream_unknown` where the app says that there is none.
 */
export function toStreamGrant(answer: AppAnswer, context: StreamGrantContext): Grant<StreamOperation> {
  const isRefusal = parseAuthorizeAnswer(answer.body)?.ok === false;
  if (answer.status === 404 && !isRefusal)
    throw new ChanctlError("forbidden", "nobody allows this: the app does not answer for streams");
  try {
    return toGrant(answer, context);
  } catch (error) {
    if (!(error instanceof ChanctlError) || error.code !== "channel_unknown") throw error;
    throw new ChanctlError("stream_unknown", error.message, { cause: error });
  }
}

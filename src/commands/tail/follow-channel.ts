import { ChanctlError } from "../../shared/errors.ts";
import type { SseItem } from "../../protocol/sse-parser.ts";
import { missingChannelHint } from "../target/channel-catalog.ts";
import { follow } from "./follow.ts";
import type { FollowOptions } from "./follow.ts";

/**
 * Follows a channel; where the project's server says that it is gone, the error names the one that may be meant.
 *
 * @throws {ChanctlError} what `follow` throws.
 */
export async function* followChannel(options: FollowOptions): AsyncGenerator<SseItem> {
  try {
    yield* follow(options);
  } catch (error) {
    const isGone = error instanceof ChanctlError && error.code === "channel_unknown";
    const hint = isGone ? await meantHint(options) : undefined;
    if (!isGone || hint === undefined) throw error;
    throw new ChanctlError(error.code, error.message, { hint, cause: error });
  }
}

async function meantHint({ channel, locate, signal }: FollowOptions): Promise<string | undefined> {
  try {
    const target = await locate();
    return target.isInternal ? await missingChannelHint(channel, { target, signal }) : undefined;
  } catch {
    return undefined; // the server has ended meanwhile: what it said last counts
  }
}

import type { Broker } from "../broker/broker.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";

interface HiddenStreamsContext {
  readonly broker: { readonly streams: Pick<Broker["streams"], "find" | "list"> };
  readonly logger: Logger;
}

/** Warns of raw streams under a channel's name: their URLs mean the channel's streams now. */
export function warnOfHiddenStreams({ broker, logger }: HiddenStreamsContext, channel: string): void {
  const path = find(broker, channel);
  if (path === undefined) return;
  const stream = path.slice(1);
  logger({
    level: "warn",
    event: "streams-hidden",
    message: `the channel ${channel} hides the stream ${stream}: it cannot be reached while there is the channel`,
    fields: { channel, stream },
  });
}

/** A store in trouble is told of where somebody needs it; a channel is reloaded all the same. */
function find({ streams }: HiddenStreamsContext["broker"], channel: string): string | undefined {
  try {
    const path = `/${channel}`;
    const { streams: below } = streams.list({ prefix: `${path}/`, limit: 1 });
    return streams.find(path)?.path ?? below[0]?.path;
  } catch (error) {
    if (error instanceof ChanctlError) return undefined;
    throw error;
  }
}

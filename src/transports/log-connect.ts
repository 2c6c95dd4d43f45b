import type { Grant } from "../auth/grant.ts";
import type { ChannelTarget } from "./channel-target.ts";
import type { TransportContext } from "./context.ts";

/** Tells the log who came. */
export function logConnect(
  { logger }: TransportContext,
  { path, channel }: ChannelTarget,
  { subject }: Grant,
): void {
  const who = subject === undefined ? "" : ` ${subject}`;
  const { transport } = channel.definition;
  logger({
    level: "info",
    event: "connect",
    message: `connect ${path}${who}`,
    fields: { path, subject, transport },
  });
}

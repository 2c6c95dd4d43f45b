import type { ChannelChange } from "../registry/channel-change.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Connections } from "../transports/connections.ts";

/**
 * What a changed definition means for those who are connected: a removed channel ends its connections; changed
 * params, auth or transport ask them to come back and be asked again. Changed messages and `onPublish` apply to
 * them from the next message on; what a changed lifecycle says of a connection, to those that come later.
 */
export function applyChange(connections: Connections, change: ChannelChange): void {
  const isOfChannel = ({ channel }: { channel: string }): boolean => channel === change.name;
  if (change.kind === "removed") {
    connections.endWhere(
      isOfChannel,
      new ChanctlError("channel_unknown", `the channel \`${change.name}\` was removed`),
    );
  } else if (change.kind === "changed") {
    const { params, auth, transport } = change.changed;
    if (params || auth || transport) {
      connections.endWhere(
        isOfChannel,
        new ChanctlError("service_restart", "the channel's definition has changed"),
      );
    }
  }
}

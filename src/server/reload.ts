import type { Broker } from "../broker/broker.ts";
import type { ChannelChange } from "../registry/channel-change.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Connections } from "../transports/connections.ts";

export interface ReloadContext {
  readonly connections: Connections;
  readonly broker: Pick<Broker, "setLifecycle">;
}

/**
 * What a changed definition means for those who are connected and for what is stored: a removed channel ends its
 * connections; changed params, auth or transport ask them to come back and be asked again; a changed lifecycle is
 * given to the channel's streams. All else applies from the next message or the next look on, since whoever needs it
 * reads it from the registry.
 */
export function applyChange({ connections, broker }: ReloadContext, change: ChannelChange): void {
  const { name, kind } = change;
  const isOfChannel = ({ channel }: { channel: string }): boolean => channel === name;
  if (kind === "removed") {
    connections.endWhere(
      isOfChannel,
      new ChanctlError("channel_unknown", `the channel \`${name}\` was removed`),
    );
    return;
  }
  if (kind === "added" || change.changed.lifecycle)
    broker.setLifecycle(name, change.after.definition.lifecycle);
  if (kind === "added") return;
  const { params, auth, transport } = change.changed;
  if (params || auth || transport) {
    connections.endWhere(
      isOfChannel,
      new ChanctlError("channel_changed", `the definition of \`${name}\` has changed`),
    );
  }
}

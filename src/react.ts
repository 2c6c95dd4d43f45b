export { useChannel } from "./react/use-channel.ts";
export type { ChannelState, UseChannelOptions } from "./react/use-channel.ts";

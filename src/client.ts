export { ChannelError } from "./client/channel-error.ts";
export { connect } from "./client/connection.ts";
export type { ConnectArguments, Connection, ConnectionEvents, Status } from "./client/connection.ts";
export type { ConnectOptions, ConnectParams, Incoming, Outgoing } from "./client/connect-options.ts";
export type { Gap } from "./client/ending.ts";
export type { WebSocketClass, WebSocketLike } from "./client/host.ts";
export type { Message } from "./protocol/message.ts";

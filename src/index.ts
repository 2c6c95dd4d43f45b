export { allow, reject } from "./sdk/answers.ts";
export type { Grant } from "./sdk/answers.ts";
export { createChannels } from "./sdk/channels.ts";
export type { Channels, ChannelsOptions } from "./sdk/channels.ts";
export type {
  AnyChannel,
  Channel,
  ChannelOptions,
  Published,
  PublishRequest,
  VerifyRequest,
} from "./sdk/channel.ts";
export { defineChannel } from "./sdk/define-channel.ts";
export type {
  ChannelMessages,
  ChannelParams,
  Infer,
  InferFilledParams,
  InferMessage,
  InferParams,
} from "./protocol/infer.ts";
export { loadChannels } from "./sdk/load-channels.ts";
export type { PublishOptions } from "./sdk/publish.ts";
export type { AuthorizeStream, StreamRequest } from "./sdk/stream-request.ts";
export type { Message } from "./protocol/message.ts";
export { ChanctlError } from "./shared/errors.ts";
export type { ErrorCode } from "./shared/errors.ts";

import type { Limits } from "../shared/limits.ts";

/** What each limit bounds, for the editor that shows the JSON Schema. */
export const LIMIT_DESCRIPTIONS: Readonly<Record<keyof Limits, string>> = {
  maxMessageBytes: "The data of one message.",
  maxParamsBytes: "All params of a URL together.",
  maxPublishBytes: "The body of one publish.",
  maxBodyBytesTotal: "The bodies of all requests under way; not of those that go to the app.",
  maxBatchMessages: "Messages in one publish.",
  maxConnections: "Subscribers in all.",
  maxConnectionsPerSubject: "Subscribers of one subject.",
  maxConnectionsPerAddress: "Subscribers from one address, of those without a subject.",
  maxPublishesPerSec:
    "Messages that one connection of a client publishes a second. A batch counts as many as it has, and is let in as long as one is left: the next publish waits until the rest is paid.",
  publishBurst: "Messages that a connection may save up.",
  maxAuthorizeCalls: "Authorize calls to the app under way at once; and as many on-publish calls.",
  maxUnsentBytes: "Bytes written to one subscriber and not yet taken by its socket.",
  maxUnsentBytesTotal: "The same for all subscribers together.",
  maxHeaderBytes: "The head of one request.",
  authFrameWaitMs: "How long a WebSocket may take to send its `auth` frame.",
  handshakeTimeoutMs: "How long TLS and the request's head may take.",
};

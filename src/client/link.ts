import type { Message } from "../protocol/message.ts";
import type { Courier, Settled } from "./publish-queue.ts";

/** What a link is opened with, and whom it tells. */
export interface LinkRequest {
  /** The channel's URL with its params and where to start. */
  readonly url: string;
  readonly token: string | undefined;
  /** Ends the link; how it says that it has ended, nobody asks any more. */
  readonly signal: AbortSignal;
  readonly onReady: (ready: Ready) => void;
  readonly onMessage: (message: Message) => void;
  /** Something came, if only a sign of life. */
  readonly onHeard: () => void;
  /** What has become of a publish. */
  readonly settle: (key: string, settled: Settled) => void;
}

/** What a link says once it is open. */
export interface Ready {
  /** Where reading starts. */
  readonly id?: string | undefined;
  /** In how many ms what the app granted ends. */
  readonly expiresInMs?: number | undefined;
  /** The link's own way to publish; without it, it is POSTed. */
  readonly courier?: Courier;
  /** Asks the server for a sign of life. */
  readonly ping?: () => void;
  /** Shows another token. */
  readonly authenticate?: (token: string) => void;
}

/** One publishing connection: a lane. What it publishes is acknowledged in the order it was published in. It ends with its process. */
export interface Publisher {
  /** Sends a message at once. `payload` is copied. */
  publish(payload: Buffer): void;
}

export interface PublisherOptions {
  readonly lane: number;
  readonly readBuffer: Buffer;
  /** Called for each message that the target has acknowledged. */
  readonly onAcknowledged: () => void;
  /** Called once when nothing more can be published or acknowledged. */
  readonly onFailed: (reason: string) => void;
}

/** What one answer or event of a read brought. */
export interface StreamChunk {
  readonly contentType: string;
  /** A JSON array where the stream is JSON. */
  readonly body: Buffer;
  /** Where the next read begins. */
  readonly nextOffset: string;
  /** Nothing more was there when it was sent. */
  readonly isUpToDate: boolean;
  /** Nothing will ever come after it. */
  readonly isClosed: boolean;
}

/** A read of a stream that lasts. */
export interface ReadContext {
  /** Repeats an attempt while what fails it may pass. */
  readonly retry: <T>(attempt: () => Promise<T>) => Promise<T>;
  readonly signal: AbortSignal;
}

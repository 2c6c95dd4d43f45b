import type { TransportContext } from "../context.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import type { DurableStreamsOptions } from "./options.ts";
import type { StreamTarget } from "./stream-target.ts";

/** One request for a stream, that its caller may make. */
export interface StreamCall {
  readonly context: TransportContext;
  readonly options: DurableStreamsOptions;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly query: URLSearchParams;
  readonly target: StreamTarget;
  /** Who asks, if anybody knows. */
  readonly subject: string | undefined;
  /** Whether the answer may be kept for others (PROTOCOL.md, section 10.1). */
  readonly isPublic: boolean;
  /** How far back the caller may read, in ms. */
  readonly replayWindowMs: () => number;
  /** When what the caller may do ends, in ms since 1970. */
  readonly expiresAt: number | undefined;
}

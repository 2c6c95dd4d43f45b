import type { StreamOperation } from "../../protocol/app-call.ts";
import type { TransportContext } from "../context.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import type { DurableStreamsOptions } from "./options.ts";
import type { StreamAccess } from "./stream-access.ts";
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
  /** When the app was asked about the caller, by `performance.now()`. */
  readonly askedAt: number;
  /**
   * Asks whether the caller may do this with the stream, too: what a request does is not always known before its body
   * has come, and what was allowed before may be over when it has (CWE-367).
   *
   * @param target another stream that the request reads from. @default the call's own
   * @returns `undefined` once the client has left: nothing is done for it any more.
   * @throws {ChanctlError} as `authorizeStream`; `channel_changed`.
   */
  confirm(operation: StreamOperation, target?: StreamTarget): Promise<StreamAccess | undefined>;
}

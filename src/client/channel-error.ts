import type { ErrorCode } from "../shared/errors.ts";

/**
 * What the client tells of: a refusal of the server's, with the server's own `code`, or one of its own
 * (`connection_closed`, `queue_full`, `usage`).
 *
 * Not `ChanctlError`: that brings the whole table of errors along, a third of what this client may weigh.
 */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  /** The stable name of the error; a newer server may have codes that this client does not know. */
  declare readonly code: ErrorCode | (string & {});
  /** The HTTP status of the refusal, on a WebSocket too; absent where no server refused. */
  declare readonly status: number | undefined;
  /** What to do next, where somebody knows. */
  declare readonly hint: string | undefined;

  constructor(
    code: ErrorCode | (string & {}),
    message: string,
    options?: { readonly status?: number | undefined; readonly hint?: string | undefined },
  ) {
    super(message);
    Object.assign(this, options, { code });
  }
}

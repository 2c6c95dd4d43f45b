/**
 * Every error that a person or a program outside chanctl can meet, in one table: its HTTP status, its
 * WebSocket close code, its exit code and what to do about it. Problem bodies, close frames, the error
 * lines of the command line and the docs' error page are all made from it.
 *
 * - `status`: HTTP status (RFC 9110); absent where the error never answers a request
 * - `close`: WebSocket close code (RFC 6455, section 7.4); absent where it never ends a connection
 * - `exit`: exit code of the command line, 1 where absent
 * - `hint`: what to do next, where it is always the same
 * - `reconnect`: how the same client comes back; absent where it would only meet the same again
 */
export interface ErrorRow {
  readonly title: string;
  readonly status?: number;
  readonly close?: number;
  readonly exit?: number;
  readonly hint?: string;
  readonly reconnect?: Reconnect;
}

/**
 * How a client comes back.
 *
 * - `resume`: with its last id; a connection that ends so was not refused
 * - `wait`: with its last id, after the time that the server names or else with backoff
 * - `sign-in`: with its last id, once it has other credentials
 * - `afresh`: without an id, since what follows it can no longer be read
 */
export type Reconnect = "resume" | "wait" | "sign-in" | "afresh";

export const ERRORS = {
  // What a client did
  malformed: { title: "malformed request", status: 400, close: 4400 },
  params_invalid: { title: "params do not fit the channel", status: 400, close: 4422, exit: 2 },
  message_invalid: { title: "message does not fit the channel", status: 400, close: 4400 },
  unauthenticated: { title: "not signed in", status: 401, close: 4401, reconnect: "sign-in" },
  token_missing: {
    title: "no token",
    status: 401,
    hint: "send `Authorization: Bearer <token>`",
  },
  token_invalid: { title: "token is not valid", status: 401 },
  token_expired: {
    title: "token has expired",
    status: 401,
    hint: "get a new token and send it again",
  },
  signed_invalid: {
    title: "signed stream token is not this stream's",
    status: 403,
    hint: "chanctl token stream <name>     signs the name of exactly this stream, with the server's `streamsSecret`",
  },
  signed_read_only: {
    title: "a signed stream token only lets read",
    status: 403,
    hint: "send the request without `X-Signed` and `signed`",
  },
  forbidden: { title: "not allowed", status: 403, close: 4403 },
  origin_forbidden: {
    title: "origin not allowed",
    status: 403,
    close: 4403,
    hint: "add the page's origin to `allowedOrigins` in the config",
  },
  host_forbidden: {
    title: "host not allowed",
    status: 403,
    hint: "ask for localhost or an address, or add the name to `allowedHosts` in the config",
  },
  transport_forbidden: {
    title: "the channel's transport does not allow this",
    status: 403,
    close: 4403,
    hint: 'set `transport: "ws"` in the channel file',
  },
  channel_unknown: { title: "no such channel", status: 404, close: 4404 },
  stream_unknown: { title: "no such stream", status: 404 },
  stream_deleted: { title: "stream was deleted", status: 410 },
  stream_exists: { title: "there is another stream", status: 409 },
  stream_closed: { title: "stream is closed", status: 409 },
  media_type_mismatch: { title: "content type is not the stream's", status: 409 },
  seq_conflict: { title: "sequence does not go on", status: 409 },
  producer_fenced: {
    title: "a later session of the producer has taken over",
    status: 403,
    hint: "begin a new session: the next `Producer-Epoch`, and `Producer-Seq` 0",
  },
  producer_gap: {
    title: "producer's appends are missing",
    status: 409,
    hint: "send the missing appends first",
  },
  offset_gone: {
    title: "what follows the offset can no longer be read",
    status: 410,
    hint: "read again from `oldest`, or from `offset=-1`",
  },
  subscription_not_found: { title: "no such subscription", status: 404 },
  subscription_already_exists: {
    title: "there is another subscription",
    status: 409,
    hint: "delete it first, or use another id",
  },
  webhook_url_rejected: { title: "webhook may not go there", status: 400 },
  already_claimed: { title: "another worker holds the lease", status: 409 },
  no_pending_work: { title: "nothing is pending", status: 409 },
  fenced: { title: "the wake is over", status: 409, hint: "stop, and wait for the next wake" },
  invalid_offset: { title: "offset cannot be acknowledged", status: 409 },
  not_found: { title: "nothing here", status: 404 },
  method_not_allowed: { title: "method not allowed", status: 405 },
  request_timeout: { title: "the request's head took too long", status: 408 },
  replay_window_exceeded: {
    title: "some of what was missed can no longer be read",
    status: 410,
    close: 4410,
    hint: "reconnect without an id, or with `oldest` to replay all that is retained",
    reconnect: "afresh",
  },
  too_big: { title: "too big", status: 413, close: 1009 },
  content_type_unsupported: {
    title: "content type not supported",
    status: 415,
    hint: "send `content-type: application/json`",
  },
  binary_unsupported: { title: "binary frames are not supported", status: 415, close: 1003 },
  key_reused: {
    title: "idempotency key was used for another body",
    status: 422,
    hint: "make a new key for each message; repeat a key only to repeat the same publish",
  },
  websocket_version_unsupported: { title: "WebSocket version not supported", status: 426 },
  rate_limited: { title: "over a limit", status: 429, close: 4429, reconnect: "wait" },
  head_too_big: { title: "the request's head is too big", status: 431 },
  loop_detected: {
    title: "the app proxies back to chanctl",
    status: 508,
    hint: "point `app.url` or the app's own proxy at the app's port, not at chanctl's",
  },

  // What a connection meets in its life
  going_away: { title: "server is going away", close: 1001, reconnect: "resume" },
  service_restart: { title: "server is restarting", status: 503, close: 1012, reconnect: "resume" },
  channel_changed: { title: "the channel has changed", status: 503, close: 1012, reconnect: "resume" },
  lifetime_over: { title: "connection lifetime is over", close: 4408, reconnect: "resume" },
  disconnected: { title: "disconnected by the app", status: 503, close: 4408, reconnect: "resume" },

  // What the server could not do
  internal: { title: "internal error", status: 500, close: 1011, reconnect: "wait" },
  keys_unavailable: { title: "the keys of tokens cannot be loaded", status: 503 },
  app_unavailable: { title: "the app did not answer", status: 503, close: 4503, reconnect: "wait" },
  store_unavailable: {
    title: "the store did not take the write",
    status: 503,
    close: 4503,
    reconnect: "wait",
  },
  store_full: { title: "the store is full", status: 507, close: 4503, reconnect: "wait" },

  // What the person at the terminal meets
  usage: { title: "wrong usage", exit: 2 },
  config_invalid: { title: "config is invalid", exit: 3 },
  definition_invalid: { title: "channel definition is invalid", exit: 3 },
  no_terminal: { title: "an answer is needed and there is no terminal", exit: 4 },
  cannot_connect: { title: "cannot connect", exit: 5 },
  port_in_use: { title: "port is in use" },
  cannot_listen: { title: "cannot listen" },
  app_failed: { title: "the app did not start" },
  certificate_invalid: { title: "certificate cannot be used" },
  trust_failed: { title: "a trust store was not changed" },
  store_in_use: { title: "store is in use" },
  store_newer: { title: "store was written by a newer chanctl" },
  store_invalid: { title: "store cannot be opened" },
  file_failed: { title: "a file or folder cannot be used" },
  would_overwrite: { title: "a file would be overwritten" },
  install_failed: { title: "packages were not installed" },
  connection_closed: { title: "the connection is closed" },
  queue_full: { title: "too many publishes wait" },
  not_bound: { title: "channel has no name yet" },
} as const;

/** The stable name of an error, for programs. */
export type ErrorCode = keyof typeof ERRORS;

/** A client's mistake as the log may tell it: without anything that could be a token or a message's data (CWE-532). */
export interface LoggedMistake {
  /** The stream: `chat/room=lobby`. */
  readonly path: string;
  /** What was wrong, in the words of the schema. */
  readonly reason: string;
}

interface ChanctlErrorOptions {
  /** What to do next: a command or a line to write. Several lines are allowed. */
  readonly hint?: string;
  /** What made this happen, for the log. Never shown to a client. */
  readonly cause?: unknown;
  /** Further fields of the answer, such as `oldest` and `newest` of a 410. Shown to the client. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Seconds after which a repeat may work; becomes `Retry-After`. */
  readonly retryAfterSecs?: number;
  /** The key of the config's `limits` that was hit, for the log. */
  readonly limit?: string;
  /** What the log may say of a client's mistake; absent: the title alone, for messages quote what was sent. */
  readonly logged?: LoggedMistake;
  /** Overrides the table's status, where the app chose one (401, 403 or 404). */
  readonly status?: number;
}

/** The one error class that crosses folders. Anything else that is thrown is a bug. */
export class ChanctlError extends Error {
  override readonly name = "ChanctlError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly retryAfterSecs: number | undefined;
  readonly limit: string | undefined;
  readonly logged: LoggedMistake | undefined;
  readonly #status: number | undefined;

  constructor(code: ErrorCode, message: string, options: ChanctlErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? this.#row.hint;
    this.fields = options.fields ?? {};
    this.retryAfterSecs = options.retryAfterSecs;
    this.limit = options.limit;
    this.logged = options.logged;
    this.#status = options.status;
  }

  get #row(): ErrorRow {
    return ERRORS[this.code];
  }

  /** The error's short name for people, the same for every error of this code. */
  get title(): string {
    return this.#row.title;
  }

  /** HTTP status of the answer. */
  get status(): number {
    return this.#status ?? this.#row.status ?? 500;
  }

  /** WebSocket close code; 1011 (internal error) where the table has none. */
  get closeCode(): number {
    return this.#row.close ?? 1011;
  }

  /** Whether a connection that ends with this may be resumed by the same client. */
  get isResumable(): boolean {
    return this.#row.reconnect === "resume";
  }

  /** Exit code of the command line. */
  get exitCode(): number {
    return this.#row.exit ?? 1;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` that Node and SQLite put on their errors (`ENOENT`, `SQLITE_FULL`), if there is one. */
export function errorCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

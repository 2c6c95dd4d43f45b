import { ChanctlError } from "../shared/errors.ts";
import { BoundedLines, inTheLastSecond } from "../platform/bounded-lines.ts";
import { createLimitLog } from "../shared/limit-log.ts";
import type { LogEntry, Logger } from "../shared/logger.ts";
import { AUTHORIZE_PATH, ON_PUBLISH_PATH, STREAM_OPERATIONS } from "../protocol/app-call.ts";
import type {
  AuthorizeRequest,
  AuthorizeStreamRequest,
  CallerFields,
  CallTransport,
  OnPublishRequest,
  Operation,
  StreamOperation,
} from "../protocol/app-call.ts";
import type { ChannelDefinition } from "../protocol/definition.ts";
import type { Draft } from "../protocol/message.ts";
import type { Params } from "../protocol/stream-path.ts";
import { MAX_ANSWER_BYTES } from "./app-client.ts";
import type { AppAnswer, AppClient } from "./app-client.ts";
import type { Credentials } from "./credentials.ts";
import { CHANNEL_OPERATIONS, publicGrant, toGrant, toPublishAnswer } from "./grant.ts";
import type { Grant } from "./grant.ts";
import { toStreamGrant } from "./stream-grant.ts";
import { Semaphore } from "./semaphore.ts";
import { SharedCalls } from "./shared-calls.ts";

export interface Caller {
  readonly definition: ChannelDefinition;
  readonly params: Params;
  readonly operation: Operation;
  readonly transport: CallTransport;
  readonly credentials: Credentials;
  /** Whom a verified JWT names. */
  readonly subject?: string | undefined;
}

/** Who wants to do what with a raw stream. */
export interface StreamCaller {
  /** The stream's path in its one form. */
  readonly stream: string;
  readonly operation: StreamOperation;
  readonly credentials: Credentials;
  /** Whom a verified JWT names. */
  readonly subject: string | undefined;
}

export interface ClientMessage {
  readonly definition: ChannelDefinition;
  readonly params: Params;
  readonly subject: string | undefined;
  readonly transport: CallTransport;
  readonly message: Draft;
  /** Aborts when nobody wants the answer any more; the app is then not asked, unless it is already. */
  readonly signal: AbortSignal;
}

interface AuthorizerOptions {
  /** Calls of each kind that the app is made at once. */
  readonly maxCalls: number;
  /** Calls of each kind that may wait for one of those to end. */
  readonly maxWaiting: number;
  /** Of a message's data, which the app may send back. */
  readonly maxMessageBytes: number;
  readonly logger: Logger;
}

interface AuthorizeCall<Granted> {
  readonly shared: SharedCalls<Granted>;
  readonly read: (answer: AppAnswer) => Granted;
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal;
}

/** How long a call may wait for its turn: a storm of thousands is served, an app that hangs is told of. */
const MAX_WAIT_MS = 30_000;

/** JSON may write each byte as an escape: `\u003c`. */
const MAX_ESCAPE_LENGTH = 6;

/** Asks the app who may do what. Fails closed: no answer is no. */
export class Authorizer {
  readonly #client: AppClient;
  /** Apart from each other: who only publishes must not keep newcomers out, nor they the messages. */
  readonly #authorizeCalls: Semaphore;
  readonly #onPublishCalls: Semaphore;
  readonly #limits: Pick<AuthorizerOptions, "maxMessageBytes">;
  readonly #warnings: BoundedLines<string, LogEntry>;
  readonly #logger: Logger;
  /** Channels that the app does not know, as the log was told; there are only so many as are defined. */
  readonly #unknownToApp = new Set<string>();
  /** A thousand tabs of one user that reconnect at once ask once. */
  readonly #shared = new SharedCalls<Grant>();
  readonly #sharedOfStreams = new SharedCalls<Grant<StreamOperation>>();

  constructor(client: AppClient, options: AuthorizerOptions) {
    const { maxCalls, maxWaiting, logger } = options;
    const note = createLimitLog(logger);
    const onWait = (): void => note("maxAuthorizeCalls");
    const bounds = { size: maxCalls, maxWaiting, maxWaitMs: MAX_WAIT_MS, onWait };
    this.#client = client;
    this.#logger = logger;
    this.#limits = options;
    this.#warnings = new BoundedLines(({ message, fields, ...entry }, count) =>
      logger({ ...entry, message: message + inTheLastSecond(count), fields: { ...fields, count } }),
    );
    this.#authorizeCalls = new Semaphore(bounds);
    this.#onPublishCalls = new Semaphore(bounds);
  }

  /**
   * What the caller may do.
   *
   * @param signal aborts when the caller has left; the app is then not asked, unless others wait for the same.
   * @returns `undefined` once the signal has aborted.
   * @throws {ChanctlError} `unauthenticated` without a call where the caller shows no credential at all;
   *   `unauthenticated`, `forbidden`, `channel_unknown` as the app says; `app_unavailable` for no answer.
   */
  async authorize(caller: Caller, signal: AbortSignal): Promise<Grant | undefined> {
    const { definition, operation } = caller;
    const grant = definition.public ? publicGrant(definition) : await this.#ask(caller, signal);
    if (grant !== undefined && !grant.operations.has(operation)) {
      throw new ChanctlError("forbidden", `the app does not allow this caller to ${operation}`);
    }
    return grant;
  }

  /**
   * What the caller may do with a raw stream, as the app says.
   *
   * @param signal aborts when the caller has left, as in `authorize`.
   * @returns `undefined` once the signal has aborted.
   * @throws {ChanctlError} `forbidden` where there is no app, or one that does not answer for streams; else as
   *   `authorize`, with `stream_unknown` in place of `channel_unknown`.
   */
  async authorizeStream(
    { stream, operation, credentials, subject }: StreamCaller,
    signal: AbortSignal,
  ): Promise<Grant<StreamOperation> | undefined> {
    if (!this.#client.hasApp)
      throw new ChanctlError("forbidden", "nobody allows this, and there is no app to ask");
    const request: AuthorizeStreamRequest = {
      version: 1,
      stream,
      operation,
      transport: "ds",
      ...callerFields(credentials, subject),
    };
    const context = { name: stream, possible: STREAM_OPERATIONS, logger: this.warn };
    const grant = await this.#post(request, {
      shared: this.#sharedOfStreams,
      read: (answer) => toStreamGrant(answer, context),
      signal,
    });
    if (grant === undefined || grant.operations.has(operation)) return grant;
    throw new ChanctlError("forbidden", `the app does not allow this caller to ${operation}`);
  }

  #ask(
    { definition, params, operation, transport, credentials, subject }: Caller,
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    const { header, cookie } = credentials;
    if (definition.auth !== undefined && header === undefined && cookie === undefined) {
      const { headerName, cookieName } = definition.auth;
      const wanted = [
        headerName && `the header \`${headerName}\``,
        cookieName && `the cookie \`${cookieName}\``,
      ];
      throw new ChanctlError("unauthenticated", `the request lacks ${wanted.filter(Boolean).join(" or ")}`);
    }
    const { name } = definition;
    const request: AuthorizeRequest = {
      version: 1,
      channel: name,
      params,
      operation,
      transport,
      ...callerFields(credentials, subject),
    };
    const onUnknown = (): void => this.#tellUnknown(name);
    const context = {
      name,
      possible: CHANNEL_OPERATIONS[definition.transport],
      logger: this.warn,
      onUnknown,
    };
    const read = (answer: AppAnswer): Grant => {
      const grant = toGrant(answer, context);
      this.#unknownToApp.delete(name);
      return grant;
    };
    return this.#post(request, { shared: this.#shared, read, signal });
  }

  #post<Granted>(
    request: AuthorizeRequest | AuthorizeStreamRequest,
    { shared, read, signal }: AuthorizeCall<Granted>,
  ): Promise<Granted | undefined> {
    const body = JSON.stringify(request);
    const since = performance.now();
    const call = (wanted: AbortSignal): Promise<Granted> =>
      this.#authorizeCalls.run(
        async () => read(await this.#client.post(AUTHORIZE_PATH, body, { since, signal: wanted })),
        wanted,
      );
    return shared.join(body, { call, signal });
  }

  /**
   * Shows the app a client's message before it is stored.
   *
   * @returns The JSON text of what the app made of it; `undefined` if it is to be stored as it is.
   * @throws {ChanctlError} as `authorize`.
   * @throws An error of no interest once the signal has aborted.
   */
  async onPublish({
    definition,
    params,
    subject,
    transport,
    message,
    signal,
  }: ClientMessage): Promise<string | undefined> {
    const request: Omit<OnPublishRequest, "message"> = {
      version: 1,
      channel: definition.name,
      params,
      ...(subject === undefined ? {} : { subject }),
      transport,
    };
    // The data goes as the writer wrote it: parsed and written anew, long numbers would be others.
    const shown = `{"type":${JSON.stringify(message.type)},"data":${message.dataText}}`;
    const body = `${JSON.stringify(request).slice(0, -1)},"message":${shown}}`;
    const since = performance.now();
    const maxAnswerBytes = MAX_ESCAPE_LENGTH * this.#limits.maxMessageBytes + MAX_ANSWER_BYTES;
    const ask = (): Promise<AppAnswer> =>
      this.#client.post(ON_PUBLISH_PATH, body, { since, maxAnswerBytes, signal });
    const onUnknown = (): void => this.#tellUnknown(definition.name);
    return toPublishAnswer(await this.#onPublishCalls.run(ask, signal), { onUnknown });
  }

  /** Once, until the app has let somebody in there: clients that come again and again would tell of nothing new. */
  #tellUnknown(channel: string): void {
    if (this.#unknownToApp.has(channel)) return;
    this.#unknownToApp.add(channel);
    const hint = `give it to \`createChannels({ … })\`, or use \`loadChannels("./channels")\`, and restart the app`;
    this.#logger({
      level: "warn",
      event: "channel-unknown-to-app",
      message: `the app does not know the channel \`${channel}\`: nobody gets in`,
      fields: { channel, hint },
    });
  }

  /** Tells the log what is wrong with the app's answers: of each kind a line a second, for it comes with every answer. */
  readonly warn = (entry: LogEntry): void => {
    this.#warnings.note(`${entry.event} ${String(entry.fields?.["setting"])}`, entry);
  };

  /** Tells the log what is still held of it. */
  close(): void {
    this.#warnings.close();
  }
}

function callerFields(credentials: Credentials, subject: string | undefined): CallerFields {
  const { header, cookie, origin, ip, userAgent } = credentials;
  return {
    ...(header === undefined ? {} : { header }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(origin === undefined ? {} : { origin }),
    ...(ip === undefined ? {} : { ip }),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(subject === undefined ? {} : { subject }),
  };
}

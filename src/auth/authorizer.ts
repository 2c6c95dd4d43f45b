import { ChanctlError } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";
import { AUTHORIZE_PATH, ON_PUBLISH_PATH } from "../protocol/app-call.ts";
import type { AuthorizeRequest, Operation } from "../protocol/app-call.ts";
import type { ChannelDefinition } from "../protocol/definition.ts";
import type { Params } from "../protocol/stream-path.ts";
import type { AppClient } from "./app-client.ts";
import type { Credentials } from "./credentials.ts";
import { publicGrant, toGrant, toPublishAnswer } from "./grant.ts";
import type { Grant } from "./grant.ts";
import { Semaphore } from "./semaphore.ts";

export interface Caller {
  readonly definition: ChannelDefinition;
  readonly params: Params;
  readonly operation: Operation;
  readonly transport: AuthorizeRequest["transport"];
  readonly credentials: Credentials;
}

export interface ClientMessage {
  readonly definition: ChannelDefinition;
  readonly params: Params;
  readonly subject: string | undefined;
  readonly transport: AuthorizeRequest["transport"];
  readonly message: { readonly type: string; readonly data: unknown };
}

/** Asks the app who may do what. Fails closed: no answer is no. */
export class Authorizer {
  readonly #client: AppClient;
  readonly #calls: Semaphore;
  readonly #logger: Logger;
  /** Identical calls under way: a thousand tabs of one user that reconnect at once ask once. */
  readonly #underWay = new Map<string, Promise<Grant>>();

  constructor(client: AppClient, { maxCalls, logger }: { maxCalls: number; logger: Logger }) {
    this.#client = client;
    this.#logger = logger;
    this.#calls = new Semaphore(maxCalls);
  }

  /**
   * What the caller may do.
   *
   * @throws {ChanctlError} `unauthenticated` without a call where the caller shows no credential at all;
   *   `unauthenticated`, `forbidden`, `channel_unknown` as the app says; `app_unavailable` for no answer.
   */
  async authorize(caller: Caller): Promise<Grant> {
    const grant = caller.definition.public ? publicGrant(caller.definition) : await this.#ask(caller);
    if (!grant.operations.has(caller.operation)) {
      throw new ChanctlError("forbidden", `the app does not allow this caller to ${caller.operation}`);
    }
    return grant;
  }

  #ask({ definition, params, operation, transport, credentials }: Caller): Promise<Grant> {
    const { header, cookie, origin, ip, userAgent } = credentials;
    if (definition.auth !== undefined && header === undefined && cookie === undefined) {
      const { headerName, cookieName } = definition.auth;
      const wanted = [
        headerName && `the header \`${headerName}\``,
        cookieName && `the cookie \`${cookieName}\``,
      ];
      throw new ChanctlError("unauthenticated", `the request has not ${wanted.filter(Boolean).join(" or ")}`);
    }
    const request: AuthorizeRequest = {
      version: 1,
      channel: definition.name,
      params,
      operation,
      transport,
      ...(header === undefined ? {} : { header }),
      ...(cookie === undefined ? {} : { cookie }),
      ...(origin === undefined ? {} : { origin }),
      ...(ip === undefined ? {} : { ip }),
      ...(userAgent === undefined ? {} : { userAgent }),
    };
    const identity = JSON.stringify(request);
    const known = this.#underWay.get(identity);
    if (known !== undefined) return known;
    const asked = this.#calls
      .run(async () => {
        const answer = await this.#client.post(AUTHORIZE_PATH, request);
        return toGrant(answer, { definition, logger: this.#logger });
      })
      .finally(() => this.#underWay.delete(identity));
    this.#underWay.set(identity, asked);
    return asked;
  }

  /**
   * Shows the app a client's message before it is stored.
   *
   * @returns The message to store: the client's, or what the app made of it.
   * @throws {ChanctlError} as `authorize`.
   */
  async onPublish({
    definition,
    params,
    subject,
    transport,
    message,
  }: ClientMessage): Promise<{ readonly type: string; readonly data: unknown } | undefined> {
    const request = {
      version: 1 as const,
      channel: definition.name,
      params,
      ...(subject === undefined ? {} : { subject }),
      transport,
      message,
    };
    const answer = toPublishAnswer(await this.#calls.run(() => this.#client.post(ON_PUBLISH_PATH, request)));
    return answer.message;
  }
}

import { JwtVerifier } from "./jwt.ts";
import type { Identity } from "./jwt.ts";
import type { JwtOptions } from "./jwt-options.ts";
import { verifySignedStream } from "./signed-stream.ts";

export interface StreamTokensOptions {
  /** Absent: nobody is asked for a JWT. */
  readonly jwt?: JwtOptions | undefined;
  /** Absent: every signed stream token is refused. */
  readonly streamsSecret?: string | undefined;
}

const DEFAULT_PARAM = "jid";

/** Verifies what clients of Durable Streams show: JWTs, and signed names of streams. */
export class StreamTokens {
  readonly #jwt: JwtVerifier | undefined;
  readonly #secret: string | undefined;
  /** A JWT's parameter in a query; its header is this after `x-`. */
  readonly param: string;

  static async open({ jwt, streamsSecret }: StreamTokensOptions): Promise<StreamTokens> {
    const verifier = jwt && (await JwtVerifier.open(jwt));
    return new StreamTokens({ verifier, streamsSecret, param: jwt?.param ?? DEFAULT_PARAM });
  }

  private constructor({
    verifier,
    streamsSecret,
    param,
  }: {
    verifier: JwtVerifier | undefined;
    streamsSecret: string | undefined;
    param: string;
  }) {
    this.#jwt = verifier;
    this.#secret = streamsSecret;
    this.param = param;
  }

  /** Whether there is anything to verify JWTs with. */
  get verifiesJwts(): boolean {
    return this.#jwt !== undefined;
  }

  /**
   * Who a JWT speaks for; `undefined` where there is nothing to verify it with.
   *
   * @throws {ChanctlError} `token_invalid`, `token_expired`, `keys_unavailable`.
   */
  async identify(token: string): Promise<Identity | undefined> {
    return this.#jwt?.verify(token);
  }

  /** The name that a signed stream token was made for; `undefined` if it was not made with our secret. */
  signedName(token: string): string | undefined {
    return verifySignedStream(token, this.#secret);
  }
}

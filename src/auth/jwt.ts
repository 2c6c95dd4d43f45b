import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import { parseStreamClaims } from "./stream-claims.ts";
import type { StreamClaim } from "./stream-claims.ts";

/** How the tokens of clients are verified; see page `jwt` of the config. */
export interface JwtOptions {
  /** For HS256. Exactly one of it and `jwksUrl`. */
  readonly secret?: string;
  /** Where the public keys are, for RS256, ES256 and EdDSA. */
  readonly jwksUrl?: URL;
  /** The only ones that are taken. @default HS256 with a secret; RS256, ES256 and EdDSA with `jwksUrl` */
  readonly algorithms?: readonly string[];
  readonly audience?: string;
  readonly issuer?: string;
}

/** Who a verified token speaks for. */
export interface Identity {
  readonly subject?: string;
  /** What the token itself allows, beside the app. */
  readonly streams: readonly StreamClaim[];
  /** When it ends, in ms since 1970. */
  readonly expiresAt?: number;
}

const KEYED_ALGORITHMS = ["HS256"];
const PUBLIC_ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const JWKS_TIMEOUT_MS = 5_000;

/**
 * Verifies JWTs against one secret or one key set. The algorithms are pinned: which of them a token claims to be
 * signed with is the attacker's word (CWE-347).
 */
export class JwtVerifier {
  readonly #key: Uint8Array | JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;

  constructor({ secret, jwksUrl, algorithms, audience, issuer }: JwtOptions) {
    if (jwksUrl === undefined) this.#key = new TextEncoder().encode(secret);
    else this.#key = createRemoteJWKSet(jwksUrl, { timeoutDuration: JWKS_TIMEOUT_MS });
    this.#options = {
      algorithms: [...(algorithms ?? (jwksUrl === undefined ? KEYED_ALGORITHMS : PUBLIC_ALGORITHMS))],
      ...(audience === undefined ? {} : { audience }),
      ...(issuer === undefined ? {} : { issuer }),
    };
  }

  /**
   * @throws {ChanctlError} `token_expired`, `token_invalid`; `app_unavailable` if the keys cannot be loaded: that says
   *   nothing about the token.
   */
  async verify(token: string): Promise<Identity> {
    const payload = await this.#verify(token);
    const subject = subjectOf(payload);
    return {
      ...(subject === undefined ? {} : { subject }),
      ...(payload.exp === undefined ? {} : { expiresAt: payload.exp * 1_000 }),
      streams: parseStreamClaims(payload["streams"]),
    };
  }

  async #verify(token: string): Promise<JWTPayload> {
    try {
      const key = this.#key;
      const { payload } =
        typeof key === "function"
          ? await jwtVerify(token, key, this.#options)
          : await jwtVerify(token, key, this.#options);
      return payload;
    } catch (cause) {
      throw toTokenError(cause);
    }
  }
}

/** AnyCable's tokens name their caller in `ext`, which may be any text. */
function subjectOf({ sub, ext }: JWTPayload): string | undefined {
  if (sub !== undefined && sub !== "") return sub;
  return typeof ext === "string" && ext !== "" ? ext : undefined;
}

function toTokenError(cause: unknown): ChanctlError {
  if (cause instanceof errors.JWTExpired) {
    return new ChanctlError("token_expired", "the token has expired", { cause });
  }
  const isOfKeys =
    cause instanceof errors.JWKSTimeout ||
    cause instanceof errors.JWKSInvalid ||
    !(cause instanceof errors.JOSEError) ||
    cause.code === "ERR_JOSE_GENERIC";
  if (isOfKeys && !(cause instanceof TypeError && cause.cause === undefined)) {
    return new ChanctlError(
      "app_unavailable",
      `the keys of \`jwt.jwksUrl\` cannot be loaded: ${messageOf(cause)}`,
      {
        cause,
        retryAfterSecs: 1,
      },
    );
  }
  return new ChanctlError("token_invalid", `the token is not valid: ${messageOf(cause)}`, { cause });
}

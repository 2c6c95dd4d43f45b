import type * as JoseModule from "jose";
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import { ChanctlError, messageOf } from "../shared/errors.ts";
import type { JwtOptions } from "./jwt-options.ts";
import { parseStreamClaims } from "./stream-claims.ts";
import type { StreamClaim } from "./stream-claims.ts";

/** Who a verified token speaks for. */
export interface Identity {
  readonly subject?: string;
  /** What the token itself allows, beside the app. */
  readonly streams: readonly StreamClaim[];
  /** When it ends, in ms since 1970. */
  readonly expiresAt?: number;
}

type Jose = typeof JoseModule;

const KEY_SET_TIMEOUT_MS = 5_000;
const DEFAULT_COOLDOWN_MS = 5_000;

/**
 * Verifies JWTs against one secret or one set of public keys. The algorithms are pinned: which of them a token claims
 * to be signed with is the attacker's word (CWE-347).
 */
export class JwtVerifier {
  readonly #jose: Jose;
  readonly #key: Uint8Array | JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;

  /** Imports what it needs only now: most servers verify nothing. */
  static async open(options: JwtOptions): Promise<JwtVerifier> {
    return new JwtVerifier(await import("jose"), options);
  }

  private constructor(jose: Jose, { key, algorithms, audience, issuer, keySetCooldownMs }: JwtOptions) {
    this.#jose = jose;
    this.#key =
      typeof key === "string"
        ? new TextEncoder().encode(key)
        : jose.createRemoteJWKSet(key, {
            timeoutDuration: KEY_SET_TIMEOUT_MS,
            cooldownDuration: keySetCooldownMs ?? DEFAULT_COOLDOWN_MS,
          });
    this.#options = {
      algorithms: [...algorithms],
      ...(audience === undefined ? {} : { audience }),
      ...(issuer === undefined ? {} : { issuer }),
    };
  }

  /**
   * @throws {ChanctlError} `token_expired`, `token_invalid`; `keys_unavailable` if the keys cannot be loaded: that says
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
    const { jwtVerify } = this.#jose;
    const key = this.#key;
    try {
      const { payload } =
        typeof key === "function"
          ? await jwtVerify(token, key, this.#options)
          : await jwtVerify(token, key, this.#options);
      return payload;
    } catch (cause) {
      throw toTokenError(cause, this.#jose);
    }
  }
}

/** AnyCable's tokens name their caller in `ext`, which may be any text. */
function subjectOf({ sub, ext }: JWTPayload): string | undefined {
  if (sub !== undefined && sub !== "") return sub;
  return typeof ext === "string" && ext !== "" ? ext : undefined;
}

function toTokenError(cause: unknown, { errors }: Jose): ChanctlError {
  if (cause instanceof errors.JWTExpired)
    return new ChanctlError("token_expired", "the token has expired", { cause });
  if (isOfKeySet(cause, errors)) {
    const message = `the keys of \`jwt.jwksUrl\` cannot be loaded: ${messageOf(cause)}`;
    return new ChanctlError("keys_unavailable", message, { cause, retryAfterSecs: 1 });
  }
  return new ChanctlError("token_invalid", `the token is not valid: ${messageOf(cause)}`, { cause });
}

/**
 * Whether the key set is at fault, and not the token. What the library says of a token has a code of its own; a set
 * that was answered with something else is its bare error, one that was not answered is the error of `fetch`.
 */
function isOfKeySet(cause: unknown, errors: Jose["errors"]): boolean {
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid) return true;
  if (cause instanceof errors.JOSEError) return cause.code === "ERR_JOSE_GENERIC";
  return cause instanceof TypeError && cause.cause !== undefined;
}

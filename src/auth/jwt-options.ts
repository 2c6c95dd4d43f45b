/** What tokens may be signed with. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"] as const;

export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Those of a shared secret. */
export const SECRET_ALGORITHMS: readonly JwtAlgorithm[] = ["HS256"];

/**
 * Those of public keys. HS256 is none of them: who knows the public key would know the secret, too (CWE-347).
 *
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3.1
 */
export const KEY_SET_ALGORITHMS: readonly JwtAlgorithm[] = ["RS256", "ES256", "EdDSA"];

/** How the tokens of clients are verified. */
export interface JwtOptions {
  /** The secret, not empty, or where the set of public keys is. */
  readonly key: string | URL;
  /** The only ones that are taken; at least one, and all of the key's kind. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly audience?: string;
  readonly issuer?: string;
  /** What header and parameter are named after: `jid` is `X-JID` and `?jid=`. @default "jid" */
  readonly param?: string;
  /** How long after a load of the key set an unknown key does not cause another, in ms. @default 5 s */
  readonly keySetCooldownMs?: number;
}

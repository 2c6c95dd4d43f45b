import type { ClaimedOperation } from "../protocol/app-call.ts";

/** What a token is to say. */
export interface JwtContent {
  readonly subject?: string;
  /** What the token itself allows, beside the app. */
  readonly streams: readonly { readonly path: string; readonly operations: readonly ClaimedOperation[] }[];
  /** When it ends, in ms since 1970. */
  readonly expiresAt: number;
  readonly audience?: string;
  readonly issuer?: string;
}

/** Makes a JWT that a `JwtVerifier` with the same secret takes (HS256). */
export async function signJwt(content: JwtContent, secret: string): Promise<string> {
  const { SignJWT } = await import("jose");
  const { subject, streams, expiresAt, audience, issuer } = content;
  const jwt = new SignJWT(streams.length === 0 ? {} : { streams })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setExpirationTime(Math.floor(expiresAt / 1_000));
  if (subject !== undefined) jwt.setSubject(subject);
  if (audience !== undefined) jwt.setAudience(audience);
  if (issuer !== undefined) jwt.setIssuer(issuer);
  return jwt.sign(new TextEncoder().encode(secret));
}

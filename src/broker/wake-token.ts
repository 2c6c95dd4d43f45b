import { createHmac, timingSafeEqual } from "node:crypto";

/** What a callback or claim token says: for which wake of which subscription it was given. */
export interface WakeClaim {
  /** The subscription's incarnation: one of the same id that came later takes no token of this one. */
  readonly subscription: number;
  readonly generation: number;
  /** In ms since 1970. */
  readonly expiresAt: number;
}

/** Leases may be extended for as long as the work takes, and no new token comes with that. */
const LIFETIME_MS = 24 * 3_600_000;

/**
 * Makes a token: `<base64url of JSON>.<base64url of its HMAC-SHA256>`.
 *
 * @see PROTOCOL.md, section 12.9
 */
export function signWakeToken(
  { subscription, generation }: Omit<WakeClaim, "expiresAt">,
  { secret, now }: { readonly secret: Buffer; readonly now: number },
): string {
  const claim: WakeClaim = { subscription, generation, expiresAt: now + LIFETIME_MS };
  const payload = Buffer.from(JSON.stringify(claim)).toString("base64url");
  return `${payload}.${macOf(payload, secret).toString("base64url")}`;
}

/** What a token says; `undefined` if it is none of ours. Whether its time is over is the caller's to look at. */
export function verifyWakeToken(token: string, secret: Buffer): WakeClaim | undefined {
  const [payload = "", mac = "", ...rest] = token.split(".");
  const given = Buffer.from(mac, "base64url");
  const expected = macOf(payload, secret);
  // In constant time (CWE-208); and not by the decoded bytes alone, which more than one text has.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  if (rest.length > 0 || mac !== expected.toString("base64url")) return undefined;
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as WakeClaim;
}

function macOf(payload: string, secret: Buffer): Buffer {
  return createHmac("sha256", secret).update(payload).digest();
}

import { createHmac, timingSafeEqual } from "node:crypto";

const SEPARATOR = "--";
const MAC_HEX_LENGTH = 64;

/** Longer than the name of any stream; what is longer is not even hashed. */
const MAX_TOKEN_LENGTH = 8_192;

/**
 * Signs the name of a stream, so that whoever holds the token may read it: the base64 of its JSON, and the HMAC-SHA256
 * of that base64. Compatible bit for bit with AnyCable's signed streams.
 */
export function signStream(name: string, secret: string): string {
  const encoded = Buffer.from(JSON.stringify(name)).toString("base64");
  return `${encoded}${SEPARATOR}${macOf(encoded, secret)}`;
}

/**
 * The name that a token was made for.
 *
 * @param token as it came: a `+` that a query made a space of is put back.
 * @returns `undefined` if it was not made with this secret, or names anything but one stream. An empty secret
 *   verifies nothing: everybody knows it.
 */
export function verifySignedStream(token: string, secret: string | undefined): string | undefined {
  if (secret === undefined || secret === "" || token.length > MAX_TOKEN_LENGTH) return undefined;
  const text = token.replaceAll(" ", "+");
  const cut = text.lastIndexOf(SEPARATOR);
  if (cut === -1) return undefined;
  const encoded = text.slice(0, cut);
  const mac = text.slice(cut + SEPARATOR.length);
  if (!isSame(mac, macOf(encoded, secret))) return undefined;
  return decodeName(encoded);
}

function macOf(encoded: string, secret: string): string {
  return createHmac("sha256", secret).update(encoded).digest("hex");
}

/** In constant time, so that no caller can find a MAC byte by byte (CWE-208). */
function isSame(given: string, expected: string): boolean {
  if (given.length !== MAC_HEX_LENGTH) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Rails signs arrays of names with the same secret and the same form; they are no name of one stream. */
function decodeName(encoded: string): string | undefined {
  try {
    const name: unknown = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

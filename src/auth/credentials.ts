import type { CallerFields, HeaderCredential } from "../protocol/app-call.ts";
import type { AuthSource } from "../protocol/definition.ts";

/** What a request shows of its caller, and nothing else of it. */
export type Credentials = Omit<CallerFields, "subject">;

export interface CredentialSource {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ip: string | undefined;
  /** A token given outside the headers: in the query, in a sub-protocol or in a first frame. Counts as Bearer. */
  readonly token?: string;
}

/** Picks what the channel's `auth` names out of a request. */
export function readCredentials(
  { headers, ip, token }: CredentialSource,
  auth: AuthSource | undefined,
): Credentials {
  const header =
    token === undefined ? readHeader(headers, auth?.headerName) : { scheme: "Bearer", value: token };
  const cookie =
    auth?.cookieName === undefined ? undefined : readCookie(first(headers["cookie"]), auth.cookieName);
  const origin = first(headers["origin"]);
  const userAgent = first(headers["user-agent"]);
  return {
    ...(header === undefined ? {} : { header }),
    ...(cookie === undefined ? {} : { cookie }),
    ...(origin === undefined ? {} : { origin }),
    ...(ip === undefined ? {} : { ip }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

function readHeader(
  headers: CredentialSource["headers"],
  name: string | undefined,
): HeaderCredential | undefined {
  const text = name === undefined ? undefined : first(headers[name]);
  if (text === undefined || text === "") return undefined;
  const match = /^([A-Za-z][A-Za-z0-9._~+-]*) +(\S.*)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return { value: text };
  return { scheme: match[1], value: match[2] };
}

/** One cookie's value, as it was sent: what a value means is the app's affair (RFC 6265, section 5.4). */
function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === name)
      return pair.slice(equals + 1).trim() || undefined;
  }
  return undefined;
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}

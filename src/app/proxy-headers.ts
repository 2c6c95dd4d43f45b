import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";

/** A request as both of Node's servers give it. */
export type ProxyRequest = IncomingMessage | Http2ServerRequest;

/**
 * Headers that are about one connection, not about the message.
 *
 * `trailer` only announces; Node refuses it where it does not chunk itself. `expect` is `Upload`'s affair.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const LOCALHOST = /(?:^|\.)localhost\.?(?::\d*)?$/i;

/** Carries the ids of the chanctls that a request has been through. */
const VIA = "x-chanctl-via";

/** What only a proxy may say: from a client it would be believed by the app (CWE-348). */
function isClaimOfProxy(name: string): boolean {
  return (
    name === "forwarded" ||
    name === "x-real-ip" ||
    name.startsWith("x-forwarded-") ||
    name.startsWith("x-chanctl-")
  );
}

/** Whether the request has already been through the chanctl with this id. */
export function hasBeenHere(headers: IncomingHttpHeaders, id: string): boolean {
  return viaIds(headers).includes(id);
}

function viaIds(headers: IncomingHttpHeaders): string[] {
  const via = headers[VIA];
  return typeof via === "string" ? via.split(",").map((entry) => entry.trim()) : [];
}

/**
 * The headers to send to the app, names and values in turn.
 *
 * The app sees the host that the browser asked for, as it would without a proxy. Only an app behind HTTPS,
 * a host of somebody else's that serves many names, gets its own name.
 */
export function toAppHeaders(
  request: ProxyRequest,
  { id, origin }: { readonly id: string; readonly origin: URL },
): string[] {
  const { headers } = request;
  const named = namedByConnection(headers.connection);
  const host = hostOf(request);
  const result = ["host", origin.protocol === "http:" && host !== undefined ? host : origin.host];
  for (const [name, value] of Object.entries(headers)) {
    const isDropped =
      value === undefined ||
      name === "host" ||
      name.startsWith(":") ||
      HOP_BY_HOP.has(name) ||
      isClaimOfProxy(name) ||
      named?.has(name);
    if (!isDropped) result.push(name, Array.isArray(value) ? value.join(", ") : value);
  }
  // Trailers are passed back, so this may be (RFC 9110, section 10.1.4); gRPC's servers insist on it.
  if (/\btrailers\b/i.test(String(headers.te ?? ""))) result.push("te", "trailers");
  result.push(VIA, [...viaIds(headers), id].join(", "));
  return [...result, ...forwardedHeaders(request, host)];
}

function forwardedHeaders({ socket }: ProxyRequest, host: string | undefined): string[] {
  const isEncrypted = "encrypted" in socket && socket.encrypted;
  const port = host === undefined ? undefined : /:(\d+)$/.exec(host)?.[1];
  return [
    "x-forwarded-for",
    (socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
    "x-forwarded-proto",
    isEncrypted ? "https" : "http",
    "x-forwarded-port",
    port ?? (isEncrypted ? "443" : "80"),
    ...(host === undefined ? [] : ["x-forwarded-host", host]),
  ];
}

/** The host that a request asks for, as it was sent. */
export function hostOf({ headers }: Pick<ProxyRequest, "headers">): string | undefined {
  const host = headers[":authority"] ?? headers.host;
  return typeof host === "string" ? host : undefined;
}

/**
 * The headers of the app's answer, for either of Node's servers.
 *
 * @param host what the client asked for. A browser that is told to use HTTPS only for `localhost` does so for every
 *   server on this machine, on any port and for years (RFC 6797, section 8.3): there the app's wish is dropped.
 */
export function toClientHeaders(
  headers: IncomingHttpHeaders,
  host?: string,
): Record<string, string | string[]> {
  const named = namedByConnection(headers.connection);
  const result: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || HOP_BY_HOP.has(name) || named?.has(name)) continue;
    // One field may come in several lines (RFC 9110, section 5.3); HTTP/2 refuses that for most names.
    result[name] = Array.isArray(value) && name !== "set-cookie" ? value.join(", ") : value;
  }
  if (host !== undefined && LOCALHOST.test(host)) delete result["strict-transport-security"];
  return result;
}

/** The headers that a `Connection` header makes hop-by-hop. The usual `keep-alive` and `close` name none. */
function namedByConnection(connection: string | string[] | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  return new Set(
    String(connection)
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
}

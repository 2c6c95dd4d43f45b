import { ChanctlError } from "../../shared/errors.ts";
import { hostOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";

/** A name or an address, and perhaps a port: it becomes a part of URLs that others are sent (CWE-644). */
const HOST = /^(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * The URL of a mount, as the caller has come to it.
 *
 * @throws {ChanctlError} `malformed` if the request names no host.
 */
export function baseUrlOf(request: HttpRequest, mount: string): string {
  const host = hostOf(request) ?? "";
  if (!HOST.test(host)) throw new ChanctlError("malformed", "`Host` must name this server");
  const scheme = "encrypted" in request.socket ? "https" : "http";
  return `${scheme}://${host}${mount}`;
}

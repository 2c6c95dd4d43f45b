import { ChanctlError } from "../../shared/errors.ts";
import { hostOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";

/**
 * The URL of a mount, as the caller has come to it. It is told to others, so it must be one (CWE-644); that the host has
 * none of a URL's other parts in it, the listener has seen to.
 *
 * @throws {ChanctlError} `malformed` if the request names no host that can stand in a URL.
 */
export function baseUrlOf(request: HttpRequest, mount: string): string {
  const host = hostOf(request) ?? "";
  const scheme = "encrypted" in request.socket ? "https" : "http";
  const url = `${scheme}://${host}${mount}`;
  if (host === "" || !URL.canParse(url))
    throw new ChanctlError("malformed", "the request must name a host that URLs can have");
  return url;
}

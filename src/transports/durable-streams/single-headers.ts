import type { HeaderLookup } from "../../protocol/durable-streams/write-headers.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { headerOf } from "../http.ts";
import type { HttpRequest } from "../http.ts";

/**
 * The headers of a request, each of which may come once only.
 *
 * Node joins what is repeated to `a, b`: two writers' ids would be a third one's, whose appends nobody repeats
 * (RFC 9110, section 5.3: a sender must not repeat a header that is no list).
 *
 * @returns a lookup that throws `malformed` for a header that was repeated.
 */
export function singleHeadersOf(request: HttpRequest): HeaderLookup {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return (name) => {
    if (names.indexOf(name) !== names.lastIndexOf(name))
      throw new ChanctlError("malformed", `\`${name}\` must be sent once`);
    return headerOf(request, name);
  };
}

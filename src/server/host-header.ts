import { ChanctlError } from "../shared/errors.ts";
import type { HttpRequest } from "../transports/http.ts";

/** `uri-host [ ":" port ]` (RFC 3986, section 3.2.2). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/**
 * What is wrong with how a request names its host: it must be one, and in a way that everyone reads alike. If the
 * app, a cache and the broker took different ones of two, each would decide about another site (CWE-444).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
 */
export function findHostFault({ httpVersion, rawHeaders }: HttpRequest): ChanctlError | undefined {
  const [host, ...others] = rawHeaders.filter((_, index) => index % 2 === 1 && isHost(rawHeaders[index - 1]));
  if (host === undefined) return httpVersion === "1.0" ? undefined : malformed("a `host`, got none");
  const isRepeated = httpVersion === "2.0" && others.length === 1 && others[0] === host;
  if (others.length > 0 && !isRepeated) return malformed("one `host`, got several");
  return HOST.test(host) ? undefined : malformed("a `host` that is a name or an address");
}

/** HTTP/2 has `:authority`, and may repeat it as `host`. */
function isHost(name: string | undefined): boolean {
  return name !== undefined && /^(?:host|:authority)$/i.test(name);
}

function malformed(expected: string): ChanctlError {
  return new ChanctlError("malformed", `the request must have ${expected}`);
}

import { isIP } from "node:net";
import { clip } from "../shared/clip.ts";
import { configLine } from "../shared/config-line.ts";
import { ChanctlError } from "../shared/errors.ts";
import { hostOf } from "../transports/http.ts";
import type { HttpRequest } from "../transports/http.ts";
import { isHostName, nameOf } from "./allowed-hosts.ts";
import type { HostCheck } from "./allowed-hosts.ts";

/** Which names are ours. */
export interface HostRules {
  /** Which hosts a request may name. @default any */
  readonly isHostAllowed?: HostCheck;
  /** Which addresses that check takes without a list. @default "any" */
  readonly addresses?: "any" | "loopback";
  /** The config's file, where `allowedHosts` would be written. @default "chanctl.config.ts" */
  readonly configName?: string;
}

/** `uri-host [ ":" port ]` (RFC 3986, section 3.2.2). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/**
 * What is wrong with how a request names its host: it must be one, and in a way that everyone reads alike. If the
 * app, a cache and the broker took different ones of two, each would decide about another site (CWE-444). Where
 * there is a check, it must be a name of ours.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
 */
export function findHostFault(
  request: HttpRequest,
  { isHostAllowed = () => true, ...rules }: HostRules = {},
): ChanctlError | undefined {
  const { httpVersion, rawHeaders } = request;
  const [host, ...others] = rawHeaders.filter((_, index) => index % 2 === 1 && isHost(rawHeaders[index - 1]));
  if (host === undefined && httpVersion !== "1.0") return malformed("a `host`, got none");
  const isRepeated = httpVersion === "2.0" && others.length === 1 && others[0] === host;
  if (others.length > 0 && !isRepeated) return malformed("one `host`, got several");
  if (host !== undefined && !HOST.test(host)) return malformed("a `host` that is a name or an address");
  return isHostAllowed(hostOf(request)) ? undefined : notOurs(nameOf(host), rules);
}

/** HTTP/2 has `:authority`, and may repeat it as `host`. */
function isHost(name: string | undefined): boolean {
  return name !== undefined && /^(?:host|:authority)$/i.test(name);
}

function malformed(expected: string): ChanctlError {
  return new ChanctlError("malformed", `the request must have ${expected}`);
}

function notOurs(name: string, { addresses = "any", configName: file }: HostRules): ChanctlError {
  const address = addresses === "any" ? "an address" : "an address of the loopback";
  const expected = `the host must be localhost, a name below it, ${address} or one of \`allowedHosts\``;
  if (name === "") return new ChanctlError("host_forbidden", `${expected}, got none`);
  const message = `${expected}, got \`${clip(name)}\``;
  const isAddress = isIP(name) !== 0;
  if (!isHostName(name)) {
    const hint = "ask for localhost or 127.0.0.1"; // no line of the config lets an address of IPv6 in
    return new ChanctlError("host_forbidden", message, isAddress ? { hint } : {});
  }
  const line = configLine({ key: "allowedHosts", item: name, file });
  return new ChanctlError("host_forbidden", message, {
    hint: `${line}, if the ${isAddress ? "address" : "name"} is yours`,
  });
}

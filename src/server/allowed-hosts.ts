import { isIP } from "node:net";

/** Whether a request may name this host: the `Host` or `:authority` as it came. */
export type HostCheck = (host: string | undefined) => boolean;

/**
 * Lets pass what no site of others can be reached by: `localhost` and all below it, every address, and `names`. One
 * that begins with a dot stands for itself and all below it.
 *
 * A site that lets its own name lead to this machine (DNS rebinding) would be of one origin with the app for browsers,
 * and read everything (CWE-350, CWE-346). An address is not found by a name, so that it cannot be rebound.
 *
 * @param names in lower case
 */
export function allowHosts(names: readonly string[]): HostCheck {
  return (host) => {
    const name = nameOf(host);
    if (isIP(name) !== 0) return true;
    return isHostName(name) && (isLocalName(name) || names.some((each) => covers(each, name)));
  };
}

/** The same for a listener that only this machine reaches: of addresses, those of the loopback and what is listed. */
export function allowLocalHosts(names: readonly string[]): HostCheck {
  const isAllowed = allowHosts(names);
  return (host) => {
    const name = nameOf(host);
    return isAllowed(host) && (isIP(name) === 0 || isLoopback(name) || names.includes(name));
  };
}

/** Lets pass what one of two checks does. The lists of both may change meanwhile. */
export function allowEither(one: HostCheck, other: HostCheck): HostCheck {
  return (host) => one(host) || other(host);
}

/** Whether an address, or `localhost`, is this machine's own and no other machine reaches it. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** The host without its port, brackets and last dot, in lower case. */
export function nameOf(host: string | undefined): string {
  const [, bracketed, plain = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host ?? "") ?? [];
  return (bracketed ?? plain).toLowerCase().replace(/\.$/, "");
}

/** Whether a text in lower case is labels of letters, digits, hyphens and underscores, with a dot between each two. */
export function isHostName(name: string): boolean {
  return /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/.test(name);
}

function isLocalName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

function covers(allowed: string, name: string): boolean {
  return allowed.startsWith(".") ? name === allowed.slice(1) || name.endsWith(allowed) : name === allowed;
}

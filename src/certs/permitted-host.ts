import { BlockList, isIP } from "node:net";
import { NAMES, NETWORKS } from "./name-constraints.ts";

/**
 * Keeps the hosts that the CA may sign for by its name constraints. One host too many and nobody takes the leaf at
 * all, for none of its hosts (RFC 5280, section 6.1.3).
 *
 * @param hosts names, wildcards and addresses
 */
export function keepPermitted(hosts: readonly string[]): readonly string[] {
  const networks = new BlockList();
  for (const { address, prefixBits } of NETWORKS) {
    const isIPv4 = address.length === 8;
    networks.addSubnet(isIPv4 ? toIPv4(address) : toIPv6(address), prefixBits, isIPv4 ? "ipv4" : "ipv6");
  }
  return hosts.filter((host) => {
    const family = isIP(host);
    if (family !== 0) return networks.check(host, family === 4 ? "ipv4" : "ipv6");
    return NAMES.some((name) => host === name || host.endsWith(`.${name}`));
  });
}

function toIPv4(hex: string): string {
  return [...Buffer.from(hex, "hex")].join(".");
}

function toIPv6(hex: string): string {
  return (hex.match(/.{4}/g) ?? []).join(":");
}

import { BlockList, isIP } from "node:net";

/** What no webhook may reach (RFC 6890 and its registry, the metadata services of clouds among them; CWE-918). */
const FORBIDDEN_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Of IPv6 only what is assigned for global unicast: loopback, ULA, link-local, mapped IPv4 and NAT64 lie outside. */
const GLOBAL_IPV6 = ["2000::", 3] as const;
/** Within that: protocol assignments (Teredo among them), documentation, and 6to4, which carries an IPv4 address. */
const FORBIDDEN_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const LOOPBACK: readonly (readonly [network: string, prefix: number])[] = [["127.0.0.0", 24]];

const forbiddenIpv4 = toBlockList(FORBIDDEN_IPV4, "ipv4");
const forbiddenIpv6 = toBlockList(FORBIDDEN_IPV6, "ipv6");
const globalIpv6 = toBlockList([GLOBAL_IPV6], "ipv6");
const loopback = toBlockList(LOOPBACK, "ipv4");

/** Whether an address is one of the public Internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !forbiddenIpv4.check(address, "ipv4");
    case 6:
      return globalIpv6.check(address, "ipv6") && !forbiddenIpv6.check(address, "ipv6");
    default:
      return false;
  }
}

/** Whether an address is this machine's: `127.0.0.x` or `::1`. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && loopback.check(address, "ipv4"));
}

function toBlockList(
  subnets: readonly (readonly [network: string, prefix: number])[],
  family: "ipv4" | "ipv6",
): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

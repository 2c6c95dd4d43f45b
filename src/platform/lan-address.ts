import { BlockList } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import type { NetworkInterfaceInfo } from "node:os";

/** An address of this machine by which others of its network reach it. */
export interface LanAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  /** As the system names it: `en0`, `Wi-Fi`. */
  readonly interfaceName: string;
  /** Of a container engine, a virtual machine or a VPN: a phone beside this machine will not reach it. */
  readonly isVirtual: boolean;
}

/** Interfaces of container engines, virtual machines and VPNs, on Linux, macOS and Windows. */
const VIRTUAL =
  /^(?:docker|br-|veth|virbr|lxc|lxd|cni|flannel|cali|podman|vmnet|vnet|vboxnet|bridge|tun|tap|utun|wg|ppp|ipsec|tailscale|zt|nordlynx|awdl|llw)|vEthernet|VMware|VirtualBox|Hyper-V|WSL|VPN|TAP-|Tailscale|ZeroTier|WireGuard/;

type Network = readonly [prefix: string, bits: number, family: "ipv4" | "ipv6"];

/** RFC 1918, RFC 3927 and RFC 4193. */
const PRIVATE: readonly Network[] = [
  ["10.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["fc00::", 7, "ipv6"],
];
/** Every interface has one of IPv6; only its own link reaches it. */
const LINK_LOCAL: Network = ["fe80::", 10, "ipv6"];

/**
 * The private addresses of this machine's interfaces, the likeliest for a phone first: real interfaces before virtual
 * ones, IPv4 before IPv6, addresses that nobody gave out (169.254.0.0/16) last. Those of IPv6 that need a zone are left
 * out: a URL cannot name it (RFC 9844).
 */
export function listLanAddresses(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): readonly LanAddress[] {
  const isPrivate = inNetworks(PRIVATE);
  return listAddresses(interfaces).filter(isPrivate);
}

/** Those that are not private, in the same order: who reaches them may be anywhere. */
export function listPublicAddresses(
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): readonly LanAddress[] {
  const isLocal = inNetworks([...PRIVATE, LINK_LOCAL]);
  return listAddresses(interfaces).filter((address) => !isLocal(address));
}

/**
 * This machine's names on its network: `mymac.local`, which phones resolve (RFC 6762), `mymac` and `mymac.lan`, where
 * it is called so. None for a machine that calls itself `localhost`.
 */
export function listLanNames(name: string = hostname()): readonly string[] {
  const full = name.toLowerCase().replace(/\.$/, "");
  const [label = ""] = full.split(".", 1);
  if (!/^[a-z\d](?:[a-z\d-]*[a-z\d])?$/.test(label) || label === "localhost") return [];
  return [...new Set([`${label}.local`, label, full])];
}

function rankOf({ address, family, isVirtual }: LanAddress): number {
  return (isVirtual ? 4 : 0) + (address.startsWith("169.254.") ? 2 : 0) + (family === "IPv6" ? 1 : 0);
}

function listAddresses(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly LanAddress[] {
  const found = Object.entries(interfaces).flatMap(([interfaceName, entries = []]) =>
    entries
      .filter(({ internal }) => !internal)
      .map(({ address, family }) => ({
        address,
        family,
        interfaceName,
        isVirtual: VIRTUAL.test(interfaceName),
      })),
  );
  return found.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function inNetworks(networks: readonly Network[]): (address: LanAddress) => boolean {
  const list = new BlockList();
  for (const [prefix, bits, family] of networks) list.addSubnet(prefix, bits, family);
  return ({ address, family }) => list.check(address, family === "IPv4" ? "ipv4" : "ipv6");
}

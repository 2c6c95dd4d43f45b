import { isIP } from "node:net";
import { listLanAddresses, listLanNames, listPublicAddresses } from "../../platform/lan-address.ts";
import type { LanAddress } from "../../platform/lan-address.ts";
import { isLoopback } from "../../server/allowed-hosts.ts";

/** By what others of the network reach a server that listens on `--host`. */
export interface Lan {
  /** Asked anew each time: a laptop moves from one network to the next. The likeliest for a phone first. */
  readonly addresses: () => readonly LanAddress[];
  /** Those that are not private, by which it is reached too, and by more than its network. */
  readonly publicAddresses: () => readonly LanAddress[];
  /** This machine's names there. */
  readonly names: readonly string[];
}

/** What `--host` opens; `undefined` where only this machine comes in. */
export function openLan(host: string): Lan | undefined {
  if (isLoopback(host)) return undefined;
  return {
    addresses: () => listLanAddresses().filter((each) => isReached(host, each)),
    publicAddresses: () => listPublicAddresses().filter((each) => isReached(host, each)),
    names: listLanNames(),
  };
}

/** Whether `localhost`, and so the project's name below it, leads to a server that listens on `--host`. */
export function isAtLocalhost(host: string): boolean {
  return ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"].includes(host);
}

/** What the leaf is to be for, so that phones and others see no warning. */
export function lanHosts({ addresses, names }: Lan): readonly string[] {
  return [...addresses().map(({ address }) => address), ...names];
}

/** `.shop.test` is `shop.test` and `*.shop.test` for a certificate. */
export function toCertificateHosts(allowedHosts: readonly string[]): readonly string[] {
  return allowedHosts.flatMap((host) => (host.startsWith(".") ? [host.slice(1), `*${host}`] : [host]));
}

/** The URLs of a server for others of the network, in the order of the addresses. */
export function lanUrls({ addresses }: Lan, serverUrl: string): readonly { url: string; from: LanAddress }[] {
  return addresses().map((from) => ({ url: urlAt(from, serverUrl), from }));
}

/** The URLs at addresses that are not private. */
export function publicUrls({ publicAddresses }: Lan, serverUrl: string): readonly string[] {
  return publicAddresses().map((from) => urlAt(from, serverUrl));
}

function urlAt({ address, family }: LanAddress, serverUrl: string): string {
  const { protocol, port } = new URL(serverUrl);
  return new URL(`${protocol}//${family === "IPv6" ? `[${address}]` : address}:${port}`).origin;
}

function isReached(host: string, { address, family }: LanAddress): boolean {
  if (host === "::") return true;
  if (host === "0.0.0.0") return family === "IPv4";
  return isIP(host) === 0 || host === address;
}

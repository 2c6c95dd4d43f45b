/**
 * The host of a URL that reaches a bound address: `127.0.0.1`, `[::1]`. One that means "all addresses" is
 * reached on the loopback of its family.
 *
 * Never the name `localhost`: where that is `::1` first, whoever listens there on the port of a listener on
 * 127.0.0.1 would be sent the token (CWE-940).
 */
export function toUrlAddress(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return address.includes(":") ? `[${address}]` : address;
}

import { encodeDer, TAG } from "./der.ts";

/** The names that the CA may sign for; each stands for itself and everything below it. */
export const NAMES: readonly string[] = ["localhost", "test", "local"];

/** The addresses: loopback, private and link-local; in hexadecimal, and the length of the prefix in bits. */
export const NETWORKS: readonly { readonly address: string; readonly prefixBits: number }[] = [
  { address: "7f000000", prefixBits: 8 }, // 127.0.0.0/8
  { address: "0a000000", prefixBits: 8 }, // 10.0.0.0/8
  { address: "ac100000", prefixBits: 12 }, // 172.16.0.0/12
  { address: "c0a80000", prefixBits: 16 }, // 192.168.0.0/16
  { address: "a9fe0000", prefixBits: 16 }, // 169.254.0.0/16
  { address: "00000000000000000000000000000001", prefixBits: 128 }, // ::1
  { address: "fc000000000000000000000000000000", prefixBits: 7 }, // fc00::/7
  { address: "fe800000000000000000000000000000", prefixBits: 10 }, // fe80::/10
];

/** The places of the two kinds of names in GeneralName. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * The name constraints of the CA, in DER: a leaf that it signs is refused for anything but local names and
 * addresses, so that a stolen CA key cannot stand in for a site on the internet (CWE-295).
 *
 * ```
 * NameConstraints ::= SEQUENCE { permittedSubtrees [0] SEQUENCE OF GeneralSubtree }
 * GeneralSubtree  ::= SEQUENCE { base GeneralName }
 * GeneralName     ::= dNSName [2] IA5String | iPAddress [7] OCTET STRING (address, then mask)
 * ```
 *
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.10
 */
export function encodeNameConstraints(): Buffer {
  const subtrees = [
    ...NAMES.map((name) => encodeSubtree(DNS_NAME, Buffer.from(name))),
    ...NETWORKS.map((network) => encodeSubtree(IP_ADDRESS, toAddressAndMask(network))),
  ];
  return encodeDer(TAG.sequence, encodeDer(TAG.constructedField(0), ...subtrees));
}

function encodeSubtree(kind: number, base: Buffer): Buffer {
  return encodeDer(TAG.sequence, encodeDer(TAG.plainField(kind), base));
}

function toAddressAndMask({ address, prefixBits }: (typeof NETWORKS)[number]): Buffer {
  const maskBits = "1".repeat(prefixBits).padEnd(address.length * 4, "0");
  return Buffer.from(address + BigInt(`0b${maskBits}`).toString(16), "hex");
}

import { lookup } from "node:dns";
import type { LookupAddress, LookupOptions } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";

const LOCALHOST: readonly LookupAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/**
 * Resolves names for `net.connect` and undici: `localhost` and every `*.localhost` to this machine, whatever
 * the system says (RFC 6761, section 6.3; Node on Debian does not know `*.localhost`), others as usual.
 *
 * Both addresses are given, IPv4 first: Node tries one after the other, so an app may listen on either.
 */
export const localhostLookup: LookupFunction = (hostname, options, callback) => {
  if (hostname !== "localhost" && !hostname.endsWith(".localhost")) lookup(hostname, options, callback);
  else answer(LOCALHOST, { options, callback });
};

/**
 * The same for a program that listens at one address of this machine: once `address` is known, every name is that.
 * Else whoever has its port at the other address would be tried when it is down, and be sent what is meant for it
 * (CWE-300).
 */
export function lookupAt(address: () => string | undefined): LookupFunction {
  return (hostname, options, callback) => {
    const known = address();
    if (known === undefined) localhostLookup(hostname, options, callback);
    else answer([{ address: known, family: isIP(known) }], { options, callback });
  };
}

interface Question {
  readonly options: LookupOptions;
  readonly callback: Parameters<LookupFunction>[2];
}

function answer(addresses: readonly LookupAddress[], { options, callback }: Question): void {
  const [{ address, family } = { address: "", family: 0 }] = addresses;
  // Not at once: a connect that fails at once (EMFILE, ENETUNREACH) would err before anyone listens to the socket.
  process.nextTick(() => {
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, address, family);
  });
}

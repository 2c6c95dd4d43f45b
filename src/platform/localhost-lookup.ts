import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";

/**
 * Resolves names for `net.connect` and undici: `localhost` and every `*.localhost` to this machine, whatever
 * the system says (RFC 6761, section 6.3; Node on Debian does not know `*.localhost`), others as usual.
 *
 * Both addresses are given, IPv4 first: Node tries one after the other, so an app may listen on either.
 */
export const localhostLookup: LookupFunction = (hostname, options, callback) => {
  if (hostname !== "localhost" && !hostname.endsWith(".localhost")) lookup(hostname, options, callback);
  else if (options.all !== true) callback(null, "127.0.0.1", 4);
  else {
    callback(null, [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ]);
  }
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
    else if (options.all !== true) callback(null, known, isIP(known));
    else callback(null, [{ address: known, family: isIP(known) }]);
  };
}

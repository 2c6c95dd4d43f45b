import { lookup } from "node:dns";
import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

/**
 * Looks a name up and gives only the addresses that may be connected to: what was looked at is what is connected to,
 * for nobody asks again.
 */
export function createVettedLookup(
  isAllowed: (address: string) => boolean,
  resolve: typeof lookup = lookup,
): LookupFunction {
  return (hostname, { family, hints }, callback) => {
    const options = {
      all: true as const,
      ...(family === undefined ? {} : { family }),
      ...(hints && { hints }),
    };
    resolve(hostname, options, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, []);
      const refused = addresses.find(({ address }) => !isAllowed(address));
      // One bad address among good ones is no accident.
      if (refused !== undefined) return callback(new Error(forbidden(refused.address)), []);
      callback(null, addresses);
    });
  };
}

/** Why an address is not connected to. */
export function forbidden(address: string): string {
  return `no webhook may go to ${address}`;
}

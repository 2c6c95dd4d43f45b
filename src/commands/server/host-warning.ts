import { keepPermitted } from "../../certs/permitted-host.ts";
import type { LanAddress } from "../../platform/lan-address.ts";
import type { LogEntry } from "../../shared/logger.ts";

interface HostWarningsOptions {
  /** Where the server listens. */
  readonly host: string;
  readonly url: string;
  /** Whether it presents a certificate of chanctl's CA. */
  readonly isVouched: boolean;
  /** By which addresses that are not private it is reached. */
  readonly publicAddresses: readonly LanAddress[];
  /** All of this machine, whether the server listens there or not. */
  readonly privateAddresses: readonly LanAddress[];
}

/** The host of the server's URL where `--host` names one; `undefined` for all addresses at once, and for `localhost`. */
export function toOwnHost(host: string): string | undefined {
  return ["0.0.0.0", "::", "localhost"].includes(host) ? undefined : host;
}

/** What a person should know of where they have a server listen: who may come in, and who will not trust it. */
export function hostWarnings(options: HostWarningsOptions): readonly LogEntry[] {
  return [publicWarning(options), unvouchedWarning(options)].filter((warning) => warning !== undefined);
}

/** A dev server shows its source, and often its data: on a cloud machine `--host` gives it to the internet (CWE-1327). */
function publicWarning({ publicAddresses, privateAddresses }: HostWarningsOptions): LogEntry | undefined {
  if (publicAddresses.length === 0) return undefined;
  const addresses = publicAddresses.map(({ address }) => address);
  const [what, it] =
    addresses.length === 1 ? ["is no private address", "it"] : ["are no private addresses", "them"];
  return {
    level: "warn",
    event: "host-public",
    message: `${addresses.join(" and ")} ${what}: whoever reaches ${it} comes in, on a cloud machine the whole internet`,
    fields: { addresses, hint: narrowerHosts(privateAddresses).join("\n") },
  };
}

/** Nobody will trust the certificate at the server's URL where the CA may not sign for its host. */
function unvouchedWarning({
  host,
  url,
  isVouched,
  privateAddresses,
}: HostWarningsOptions): LogEntry | undefined {
  const own = toOwnHost(host);
  if (!isVouched || own === undefined || keepPermitted([own]).length > 0) return undefined;
  const ownCertificate = `chanctl serve --cert <file> --key <file>     with a certificate for ${own} of your own`;
  return {
    level: "warn",
    event: "host-not-vouched",
    message: `browsers refuse ${url}: chanctl's CA may vouch for local names and private addresses only, not for ${own}`,
    fields: { host: own, hint: [...narrowerHosts(privateAddresses), ownCertificate].join("\n") },
  };
}

function narrowerHosts([likeliest]: readonly LanAddress[]): readonly string[] {
  return [
    ...(likeliest === undefined
      ? []
      : [`chanctl dev --host ${likeliest.address}     for the network of this private address alone`]),
    "chanctl dev --host localhost     for this machine alone",
  ];
}

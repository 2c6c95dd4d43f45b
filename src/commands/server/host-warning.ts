import { keepPermitted } from "../../certs/permitted-host.ts";
import type { LogEntry } from "../../shared/logger.ts";

/** The host of the server's URL where `--host` names one; `undefined` for all addresses at once, and for `localhost`. */
export function toOwnHost(host: string): string | undefined {
  return ["0.0.0.0", "::", "localhost"].includes(host) ? undefined : host;
}

/**
 * The warning that nobody will trust the certificate at the URL of the server, because the CA may not sign for its
 * host; `undefined` where it may.
 */
export function hostWarning({ host, url }: { host: string; url: string }): LogEntry | undefined {
  const own = toOwnHost(host);
  if (own === undefined || keepPermitted([own]).length > 0) return undefined;
  return {
    level: "warn",
    event: "host-not-vouched",
    message: `browsers refuse ${url}: chanctl's CA may vouch for local names and private addresses only, not for ${own}`,
    fields: {
      host: own,
      hint: `chanctl dev --host     all addresses: open localhost, or a private one
chanctl serve --cert <file> --key <file>     with a certificate for ${own} of your own`,
    },
  };
}

/** How the app and the broker reach and know each other. */
export interface BrokerAccess {
  /** The broker's internal listener. */
  readonly url: string | undefined;
  /** What both prove themselves with. */
  readonly token: string | undefined;
}

/**
 * Reads `CHANCTL_URL` and `CHANCTL_TOKEN`, which `chanctl dev` and `chanctl serve` give to the app; an empty one
 * counts as unset. Read at each call: an app may load its environment file after its imports.
 */
export function brokerAccess(): BrokerAccess {
  const { CHANCTL_URL: url, CHANCTL_TOKEN: token } = process.env;
  return { url: url === "" ? undefined : url, token: token === "" ? undefined : token };
}

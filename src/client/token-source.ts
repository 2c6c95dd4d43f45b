import type { ConnectOptions } from "./connect-options.ts";

/** Where the tokens come from, and the last one. */
export interface TokenSource {
  /** Whether there may be another than the one that was refused. */
  readonly isRenewable: boolean;
  /** The token in use. */
  readonly last: () => Promise<string | undefined>;
  /** A token for a new connection, instead of the one that was refused, if one was. Rejects as the app's function does. */
  readonly next: (refused?: string) => Promise<string | undefined>;
}

/** Makes the source of a connection's tokens. */
export function tokensFrom(source: ConnectOptions["token"]): TokenSource {
  let current: string | undefined;
  const next = async (refused?: string): Promise<string | undefined> =>
    (current = (typeof source === "function" ? await source(refused) : source) || undefined);
  return { isRenewable: typeof source === "function", next, last: async () => current ?? next() };
}

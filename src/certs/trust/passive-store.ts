import type { TrustState, TrustStore } from "./trust-store.ts";

interface PassiveStoreOptions {
  readonly name: string;
  readonly place: string;
  readonly state: TrustState;
}

/** A store of a browser into which nothing is written: it follows the system's, or does not exist yet. */
export function passiveStore({ name, place, state }: PassiveStoreOptions): TrustStore {
  const nothing = async () => ({});
  return {
    kind: "firefox",
    name,
    place,
    status: async () => state,
    install: nothing,
    uninstall: nothing,
    strangers: async () => [],
  };
}

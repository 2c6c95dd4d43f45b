import type { StoreKind, TrustState, TrustStore } from "./trust-store.ts";

interface PassiveStoreOptions {
  readonly kind: StoreKind;
  readonly name: string;
  readonly place: string;
  readonly state: TrustState;
}

/** A store into which nothing is written: it follows the system's, or does not exist yet. */
export function passiveStore({ kind, name, place, state }: PassiveStoreOptions): TrustStore {
  const nothing = async () => ({});
  return {
    kind,
    name,
    place,
    status: async () => state,
    install: nothing,
    uninstall: nothing,
    held: async () => [],
  };
}

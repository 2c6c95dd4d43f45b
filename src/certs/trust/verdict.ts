import type { TrustState } from "./trust-store.ts";

/** What a TLS client said of a real server. */
export interface Verdict {
  /** The client's name. */
  readonly by: string;
  /** Why it refused; absent if it accepted. */
  readonly refusal?: string;
}

/** The state of a store that holds the CA, by what a client that reads it said. */
export function stateOf({ by, refusal }: Verdict): TrustState {
  if (refusal === undefined) return { kind: "trusted", verifiedBy: by };
  return { kind: "untrusted", reason: `${by} refuses it: ${refusal}` };
}

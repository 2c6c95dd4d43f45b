import { homedir } from "node:os";
import { join } from "node:path";

import { readAuthorityCertificate } from "../../../certs/trust/authority-certificate.ts";
import { openStores } from "../../../certs/trust/open-stores.ts";
import { realMachine } from "../../../certs/trust/real-machine.ts";
import type { TrustState, TrustStore } from "../../../certs/trust/trust-store.ts";
import type { Check, Verdict } from "../check.ts";

/** Which trust stores have the CA. Their files are read; `chanctl trust --status` proves it by handshakes. */
export const trust: Check = {
  name: "trust",
  group: "certificates",
  run: async ({ env, home }) => {
    const ca = await readAuthorityCertificate(join(home, "ca.pem")).catch(() => undefined);
    if (ca === undefined) return undefined; // the check of the CA has said why
    const machine = realMachine({ env, homedir: homedir(), isTerminal: false });
    const stores = openStores({ ca, machine, kinds: undefined, verify: undefined });
    const rows = stores.map(async (store) => ({ store, state: await store.status({ verify: false }) }));
    return judgeTrust(await Promise.all(rows));
  },
};

/** A store and whether it trusts. */
export interface TrustRow {
  readonly store: Pick<TrustStore, "name" | "place">;
  readonly state: TrustState;
}

/** One row: a machine without browsers has nothing to be warned of. */
export function judgeTrust(rows: readonly TrustRow[]): Verdict | undefined {
  const named = (kinds: readonly TrustState["kind"][]): string =>
    [...new Set(rows.filter(({ state }) => kinds.includes(state.kind)).map(({ store }) => store.name))].join(
      ", ",
    );
  const trusted = named(["trusted", "inherited"]);
  const missing = named(["untrusted", "unreadable", "blocked"]);
  if (missing === "") {
    return trusted === "" ? undefined : { status: "ok", message: `trusted by ${trusted}` };
  }
  const others = trusted === "" ? "" : `; trusted by ${trusted}`;
  return { status: "warn", message: `not trusted by ${missing}${others}`, fix: "chanctl trust" };
}

import type { TrustState, TrustStore } from "../../certs/trust/trust-store.ts";
import { isSettled } from "./store-row.ts";

/** What the banner says about the CA in one row. */
export interface TrustSummary {
  /** "trusted by: system, Chromium, 2 Firefox profiles". */
  readonly text: string;
  /** Stores that could trust it and do not. */
  readonly missing: readonly TrustStore[];
}

/** Looks at all stores, by files where that is possible: this is done at each start. */
export async function summarizeTrust(stores: readonly TrustStore[]): Promise<TrustSummary> {
  const states = await Promise.all(
    stores.map(async (store) => ({ store, state: await store.status({ verify: false }) })),
  );
  const trusting = states.filter(({ state }) => isTrusting(state)).map(({ store }) => store);
  const missing = states.filter(({ state }) => !isSettled({ state: state.kind })).map(({ store }) => store);
  return { text: summaryText(nameAll(trusting), nameAll(missing)), missing };
}

function summaryText(trusting: string, missing: string): string {
  if (trusting === "") return "not trusted yet, so browsers warn     chanctl trust";
  const by = `trusted by: ${trusting}`;
  return missing === "" ? by : `${by}; not by: ${missing}     chanctl trust`;
}

function isTrusting({ kind }: TrustState): boolean {
  return kind === "trusted" || kind === "inherited";
}

/** Each name once: of several Firefox profiles their number. */
function nameAll(stores: readonly TrustStore[]): string {
  const counts = new Map<string, number>();
  for (const { name } of stores) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, count]) =>
      count === 1 ? name : `${count} ${name} ${name === "Firefox" ? "profiles" : "stores"}`,
    )
    .join(", ");
}

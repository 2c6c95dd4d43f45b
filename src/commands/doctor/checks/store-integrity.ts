import { join } from "node:path";

import type { StoreProbe } from "../../../broker/store-probe.ts";
import type { Check, Verdict } from "../check.ts";

/** Whether the store can be read, is whole, and is of a version that we know. */
export const storeIntegrity: Check = {
  name: "integrity",
  group: "store",
  run: async ({ store, stateFolder }) => judgeIntegrity(await store, join(stateFolder, "channels.sqlite")),
};

export function judgeIntegrity(probe: StoreProbe, file: string): Verdict | undefined {
  const { schema, problems, failure, isCutOff } = probe;
  if (probe.isHeld === undefined) return undefined; // there is no store
  if (schema !== undefined && schema.found > schema.known) {
    return {
      status: "fail",
      message: `a newer chanctl wrote it: schema ${schema.found}, this one knows up to ${schema.known}`,
      fix: `npm install chanctl@latest\nmv "${file}" "${file}.old"     or begin an empty store`,
    };
  }
  const damage = failure === undefined ? problems?.[0] : failure.message;
  if (damage !== undefined) {
    return {
      status: "fail",
      message: `the store is damaged: ${damage}`,
      fix: `sqlite3 "${file}" ".recover" | sqlite3 recovered.sqlite     saves what can be read\nmv "${file}" "${file}.damaged"     the next start begins an empty store`,
    };
  }
  if (problems === undefined) {
    const why = isCutOff ? "the check took too long" : "the check ended early";
    return {
      status: "warn",
      message: `${why}: whether it is whole is not known`,
      fix: `sqlite3 "${file}" "PRAGMA quick_check"`,
    };
  }
  return { status: "ok", message: `no damage found, schema ${schema?.found ?? "unknown"}` };
}

import { lookup } from "node:dns/promises";

import { errorCodeOf } from "../../../shared/errors.ts";
import type { Check, Verdict } from "../check.ts";

const NAME = "chanctl.localhost";

/** Whether programs other than browsers and chanctl find `*.localhost`. */
export const localhostNames: Check = {
  name: "*.localhost",
  group: "machine",
  run: async () => {
    const answers = await lookup(NAME, { all: true }).catch(
      (error: unknown) => errorCodeOf(error) ?? "error",
    );
    return judgeNames(typeof answers === "string" ? answers : answers.map(({ address }) => address));
  },
};

/** @param found the addresses, or the code of the error. */
export function judgeNames(found: readonly string[] | string): Verdict {
  if (typeof found === "string") {
    return {
      status: "ok",
      message: "not known to this system; browsers, curl and chanctl know it by themselves",
    };
  }
  const strange = found.find((address) => !/^127\.|^::1$/.test(address));
  if (strange === undefined) return { status: "ok", message: `resolves to ${found.join(", ")}` };
  return {
    status: "fail",
    message: `resolves to ${strange}, which is not this machine: a name server answers for it`,
    fix: "use https://localhost:<port>, and a name server that leaves .localhost alone (RFC 6761)",
  };
}

import { networkInterfaces } from "node:os";

import type { Check, Verdict } from "../check.ts";

/** Whether `::1` is there: browsers try it first for `localhost`. */
export const ipv6Loopback: Check = {
  name: "loopback",
  group: "machine",
  run: async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    return judgeLoopback(addresses.map(({ address }) => address));
  },
};

/** @param addresses those of this machine. */
export function judgeLoopback(addresses: readonly string[]): Verdict {
  if (!addresses.includes("127.0.0.1")) {
    return {
      status: "fail",
      message: "127.0.0.1 is not there: nothing on this machine can be reached",
      fix: "ip link set lo up",
    };
  }
  if (addresses.includes("::1")) return { status: "ok", message: "127.0.0.1 and ::1" };
  return { status: "ok", message: "127.0.0.1 alone; an app that listens on ::1 only would not start" };
}

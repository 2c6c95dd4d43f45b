import type { Check, Verdict } from "../check.ts";

const OLDEST = [20, 19] as const;

/** Whether this Node is new enough. */
export const nodeVersion: Check = {
  name: "node",
  group: "machine",
  run: async () => judgeNode(process.versions.node),
};

/** @param version as `process.versions.node` has it: `20.19.2`. */
export function judgeNode(version: string): Verdict {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  const isEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (isEnough) return { status: "ok", message: version };
  return {
    status: "fail",
    message: `chanctl needs Node ${OLDEST.join(".")} or newer, this is ${version}`,
    fix: "nvm install 22     or any other way to a newer Node",
  };
}

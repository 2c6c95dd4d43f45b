import type { Check, Verdict } from "../check.ts";

const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** Whether a proxy would be asked for what is on this machine. */
export const proxyVariables: Check = {
  name: "proxy",
  group: "machine",
  run: async ({ env }) => judgeProxy(env),
};

/** chanctl itself uses no proxy; curl, Python and many others ask it for localhost too. */
export function judgeProxy(env: Readonly<Record<string, string | undefined>>): Verdict {
  const read = (name: string): string => env[name] || env[name.toLowerCase()] || "";
  const given = VARIABLES.filter((name) => read(name) !== "");
  if (given.length === 0) return { status: "ok", message: "none is set" };
  const excepted = read("NO_PROXY")
    .split(/[\s,]+/)
    .filter((entry) => entry !== "");
  const missing = ["localhost", "127.0.0.1"].filter((host) => !covers(excepted, host));
  if (missing.length === 0) return { status: "ok", message: `${given.join(", ")} leaves localhost alone` };
  return {
    status: "warn",
    message: `${given.join(", ")} is set, and NO_PROXY does not except ${missing.join(" and ")}: other programs do not reach chanctl`,
    fix: `export NO_PROXY="${[...excepted, "localhost", ".localhost", "127.0.0.1", "::1"].join(",")}"`,
  };
}

function covers(excepted: readonly string[], host: string): boolean {
  return excepted.some((entry) => entry === "*" || entry.replace(/^\*?\./, "").replace(/:\d+$/, "") === host);
}

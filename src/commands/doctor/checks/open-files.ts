import { readFile } from "node:fs/promises";

import type { Check, Verdict } from "../check.ts";

/** Each subscriber takes one, and one more where its request is proxied. */
const FEW_FILES = 4_096;

/** How many sockets and files a process may have open. */
export const openFiles: Check = {
  name: "open files",
  group: "machine",
  run: async () => {
    if (process.platform !== "linux") return undefined;
    const limits = await readFile("/proc/self/limits", "latin1").catch(() => "");
    const [, soft, hard] = /^Max open files +(\S+) +(\S+)/m.exec(limits) ?? [];
    if (soft === undefined || hard === undefined) return undefined;
    const toNumber = (text: string): number =>
      text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
    return judgeOpenFiles({ soft: toNumber(soft), hard: toNumber(hard) });
  },
};

/** Node raises the soft limit to the hard one at its start; a shell may have lowered the hard one. */
export function judgeOpenFiles({ soft, hard }: { readonly soft: number; readonly hard: number }): Verdict {
  const most = Math.max(soft, hard === Number.POSITIVE_INFINITY ? soft : hard);
  if (most >= FEW_FILES) return { status: "ok", message: `${most.toLocaleString("en-US")} at once` };
  return {
    status: "warn",
    message: `at most ${most} at once: fewer subscribers than \`limits.maxConnections\` lets in`,
    fix: "ulimit -n 65536     in the shell that starts chanctl",
  };
}

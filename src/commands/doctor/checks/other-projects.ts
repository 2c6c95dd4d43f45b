import { readFile, readlink } from "node:fs/promises";
import { homedir } from "node:os";
import { basename } from "node:path";

import { listProcesses } from "../../../platform/process-stat.ts";
import type { Check, Verdict } from "../check.ts";

/** A chanctl that runs. */
export interface RunningChanctl {
  readonly pid: number;
  readonly command: string;
  readonly cwd: string;
}

/** What other chanctl of this user run; Linux only. */
export const otherProjects: Check = {
  name: "others",
  group: "machine",
  run: async ({ root }) => {
    const found: RunningChanctl[] = [];
    // One after the other: all at once they would use up the open files that the other checks need.
    for (const pid of listProcesses()) {
      const each = await describe(pid);
      if (each !== undefined) found.push(each);
    }
    return judgeOthers(found, root);
  },
};

/** None is a fault; it is good to know where a port has gone. */
export function judgeOthers(running: readonly RunningChanctl[], root: string): Verdict | undefined {
  const others = running.filter(({ cwd }) => cwd !== root && !cwd.startsWith(`${root}/`));
  if (others.length === 0) return undefined;
  const names = others.map(
    ({ pid, command, cwd }) => `${command} in ${cwd.replace(homedir(), "~")} (pid ${pid})`,
  );
  return { status: "ok", message: `chanctl also runs: ${names.join(", ")}` };
}

async function describe(pid: number): Promise<RunningChanctl | undefined> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const command = runningCommand(text.split("\0"));
  if (command === undefined) return undefined;
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return cwd === undefined ? undefined : { pid, command, cwd };
}

/** `node …/chanctl dev` or `node …/chanctl/dist/cli.js serve`: which of them; `undefined` for anything else. */
export function runningCommand(words: readonly string[]): string | undefined {
  const [program = "", script = "", command] = words;
  const isNode = /^node(\.exe)?$/.test(basename(program));
  const isOurs = basename(script) === "chanctl" || /chanctl[^/]*\/dist\/cli\.js$/.test(script);
  return isNode && isOurs && (command === "dev" || command === "serve") ? command : undefined;
}

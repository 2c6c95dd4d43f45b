import { describePortOwner } from "../../../platform/describe-port-owner.ts";
import { findListening } from "../../../platform/find-listening.ts";
import { findPortOwner } from "../../../platform/port-owner.ts";
import { ChanctlError } from "../../../shared/errors.ts";
import type { Check, Scene, Verdict } from "../check.ts";

/** Whether the public port is free, or whose it is. */
export const port: Check = {
  name: "port",
  group: "server",
  run: async ({ settings, run }) => {
    if (settings instanceof ChanctlError || settings.port === 0) return undefined;
    const isTaken = (await findListening(settings.port)) !== undefined;
    const owner = isTaken ? await findPortOwner(settings.port) : undefined;
    const named = owner && { pid: owner.pid, description: await describePortOwner(owner) };
    return judgePort({ port: settings.port, isTaken, owner: named, run });
  },
};

interface PortFacts {
  readonly port: number;
  readonly isTaken: boolean;
  /** Who has it, as far as that can be seen. */
  readonly owner: { readonly pid: number; readonly description: string } | undefined;
  readonly run: Pick<NonNullable<Scene["run"]>, "url" | "pid" | "isAlive"> | undefined;
}

export function judgePort({ port: number, isTaken, owner, run }: PortFacts): Verdict {
  if (!isTaken) return { status: "ok", message: `${number} is free` };
  const isOurs =
    run?.isAlive === true && (owner?.pid === run.pid || new URL(run.url).port === String(number));
  if (isOurs) return { status: "ok", message: `${number} is the running chanctl's (pid ${run.pid})` };
  const another = "chanctl dev --port 0     pick a free port";
  if (owner === undefined)
    return { status: "warn", message: `${number} is in use, by whom cannot be seen`, fix: another };
  return {
    status: "warn",
    message: `${number} is in use by ${owner.description}`,
    fix: `${another}\n${`kill ${owner.pid}`.padEnd(24)} stop that one`,
  };
}

import { describePortOwner } from "../platform/describe-port-owner.ts";
import { findPortOwner } from "../platform/port-owner.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

/** Whom a listener is for. */
export type Audience = "public" | "internal";

/** What is set where. */
const SETTINGS = {
  public: { portFlag: "--port", hostKey: "host" },
  internal: { portFlag: "--internal-port", hostKey: "internalHost" },
} as const satisfies Record<Audience, object>;

interface Wanted {
  readonly audience: Audience;
  readonly host: string;
  readonly port: number;
  /** The other address of `localhost`, where it is only there that it failed. */
  readonly twin?: string;
}

/** Why a port could not be had, and what to do about it. */
export async function toListenError(
  cause: unknown,
  { audience, host, port, twin }: Wanted,
): Promise<ChanctlError> {
  const { portFlag, hostKey } = SETTINGS[audience];
  const code = errorCodeOf(cause);
  if (code === "EADDRINUSE") return portInUse({ port, portFlag, twin }, cause);
  if (code === "EACCES") {
    return new ChanctlError("cannot_listen", `port ${port} may only be used by root`, {
      cause,
      hint: `${portFlag} 4433     any port from 1024 on`,
    });
  }
  return new ChanctlError("cannot_listen", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
    cause,
    hint: `check \`${hostKey}\`: it must be an address of this machine, such as 127.0.0.1 or 0.0.0.0`,
  });
}

async function portInUse(
  {
    port,
    portFlag,
    twin,
  }: { readonly port: number; readonly portFlag: string; readonly twin?: string | undefined },
  cause: unknown,
): Promise<ChanctlError> {
  const owner = await findPortOwner(port);
  const another = `${`${portFlag} 0`.padEnd(24)} pick a free port`;
  const what = `port ${port}${twin === undefined ? "" : ` at ${twin}, which \`localhost\` is too,`}`;
  if (owner === undefined) {
    return new ChanctlError("port_in_use", `${what} is in use`, { cause, hint: another });
  }
  return new ChanctlError("port_in_use", `${what} is in use by ${await describePortOwner(owner)}`, {
    cause,
    hint: `${another}\n${`kill ${owner.pid}`.padEnd(24)} stop that one`,
  });
}

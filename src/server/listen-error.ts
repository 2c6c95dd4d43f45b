import { homedir } from "node:os";
import { findPortOwner } from "../platform/port-owner.ts";
import { ChanctlError, errorCodeOf, messageOf } from "../shared/errors.ts";

/** Why a port could not be had, and what to do about it. */
export async function toListenError(
  cause: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ChanctlError> {
  const code = errorCodeOf(cause);
  if (code === "EADDRINUSE") return portInUse(port, cause);
  if (code === "EACCES") {
    return new ChanctlError("cannot_listen", `port ${port} may only be used by root`, {
      cause,
      hint: "chanctl dev --port 4433",
    });
  }
  return new ChanctlError("cannot_listen", `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
    cause,
    hint: "check `host`: it must be an address of this machine, such as 127.0.0.1 or 0.0.0.0",
  });
}

async function portInUse(port: number, cause: unknown): Promise<ChanctlError> {
  const owner = await findPortOwner(port);
  const another = "chanctl dev --port 0     pick a free port";
  if (owner === undefined) {
    return new ChanctlError("port_in_use", `port ${port} is in use`, { cause, hint: another });
  }
  const { command, pid, cwd } = owner;
  const where = cwd === undefined ? "" : `, ${cwd.replace(homedir(), "~")}`;
  return new ChanctlError("port_in_use", `port ${port} is in use by ${command} (pid ${pid}${where})`, {
    cause,
    hint: `${another}\n${`kill ${pid}`.padEnd(24)} stop that one`,
  });
}

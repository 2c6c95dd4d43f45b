import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usingStateFile } from "../platform/state-file.ts";
import { ChanctlError } from "../shared/errors.ts";
import { allowEither, allowHosts, allowLocalHosts, isLoopback } from "./allowed-hosts.ts";
import { Listener } from "./listener.ts";
import type { ServerOptions } from "./options.ts";

/** @throws {ChanctlError} `port_in_use`, `cannot_listen`. */
export function bindPublic({
  host,
  port,
  tls,
  http2,
  limits,
  allowedHosts,
  ownHosts = [],
  configName,
}: ServerOptions): Promise<Listener> {
  const { maxHeaderBytes, handshakeTimeoutMs } = limits;
  return Listener.bind({
    audience: "public",
    host,
    port,
    http2,
    maxHeaderBytes,
    handshakeTimeoutMs,
    ...(tls === undefined ? {} : { tls }),
    ...(configName === undefined ? {} : { configName }),
    ...(allowedHosts === undefined
      ? {}
      : { isHostAllowed: allowEither(allowHosts(allowedHosts), allowHosts(ownHosts)) }),
  });
}

/**
 * Binds the internal listener: on the port that was asked for, else on the last run's, so that an app outlives a
 * restart of the broker, else on any.
 *
 * @throws {ChanctlError} `port_in_use`, `cannot_listen`; `store_invalid` if the port cannot be kept.
 */
export async function bindInternal(options: ServerOptions): Promise<Listener> {
  const { internalHost, internalPort, limits, stateFolder, allowedHosts, configName } = options;
  const { maxHeaderBytes, handshakeTimeoutMs } = limits;
  // One that other machines are to reach has names that only its user knows; the token guards it all the same.
  const isHostAllowed = isLoopback(internalHost) ? allowLocalHosts(allowedHosts ?? []) : undefined;
  const bind = (port: number): Promise<Listener> =>
    Listener.bind({
      audience: "internal",
      host: internalHost,
      port,
      http2: false,
      maxHeaderBytes,
      handshakeTimeoutMs,
      ...(isHostAllowed === undefined ? {} : { isHostAllowed, addresses: "loopback" }),
      ...(configName === undefined ? {} : { configName }),
    });
  if (internalPort !== undefined) return bind(internalPort);
  const path = join(stateFolder, "internal-port");
  const listener = await bind(await readPort(path)).catch((error: unknown) => {
    if (error instanceof ChanctlError && error.code === "port_in_use") return bind(0);
    throw error;
  });
  try {
    await usingStateFile(path, () => writeFile(path, `${listener.port}\n`, { mode: 0o600 }));
  } catch (error) {
    await listener.close({ graceMs: 0 });
    throw error;
  }
  return listener;
}

/** The last run's port; 0 if there was none or it cannot be read. */
async function readPort(path: string): Promise<number> {
  const port = Number(await readFile(path, "utf8").catch(() => "0"));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

import { once } from "node:events";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { errorCodeOf } from "../shared/errors.ts";

interface TwinOptions {
  readonly address: string;
  readonly port: number;
  readonly backlog: number;
  readonly onConnection: (socket: Socket) => void;
}

/**
 * The loopback address that a listener must have beside the one it is bound to, because its URL names `localhost`:
 * whoever else has it on the same port would be sent what is meant for the listener, cookies too (CWE-940). Browsers,
 * curl and Node look at `::1` first. `undefined`: none.
 *
 * @param bound.host as it was asked for
 * @param bound.address the IP address that it became
 */
export function twinAddressOf({ host, address }: { host: string; address: string }): string | undefined {
  if (host === "localhost") return address === "::1" ? "127.0.0.1" : "::1";
  return host === "127.0.0.1" || host === "0.0.0.0" ? "::1" : undefined;
}

/**
 * Binds the twin. A machine that does not have the address has nobody there: then there is none.
 *
 * @throws the system's error `EADDRINUSE` where the port is another's there.
 */
export async function bindTwin({
  address,
  port,
  backlog,
  onConnection,
}: TwinOptions): Promise<Server | undefined> {
  const net = createServer({ noDelay: true }, onConnection);
  net.listen({ host: address, port, backlog });
  try {
    await once(net, "listening");
    return net;
  } catch (error) {
    if (errorCodeOf(error) === "EADDRINUSE") throw error;
    return undefined;
  }
}

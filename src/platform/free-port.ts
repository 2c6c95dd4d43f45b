import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { errorCodeOf } from "../shared/errors.ts";

const ATTEMPTS = 20;

/**
 * A TCP port of this machine that nobody listens on, over IPv4 or IPv6. Nothing holds it until it is used:
 * whoever asks must cope with it being taken meanwhile.
 */
export async function pickFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = await listenOnce("127.0.0.1", 0);
    if (await isFreeOverIpv6(port)) return port;
  }
  throw new Error(
    `expected a TCP port that is free on 127.0.0.1 and ::1, found none in ${ATTEMPTS} attempts`,
  );
}

/** A machine without IPv6 refuses with another code, and nobody else can listen there either. */
async function isFreeOverIpv6(port: number): Promise<boolean> {
  try {
    await listenOnce("::1", port);
    return true;
  } catch (error) {
    return errorCodeOf(error) !== "EADDRINUSE";
  }
}

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port });
  await once(server, "listening");
  const { port: actual } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return actual;
}

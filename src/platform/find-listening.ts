import { connect } from "node:net";

/** Where a local app may listen, in the order in which it is tried. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"] as const;

const CONNECT_TIMEOUT_MS = 1_000;

/**
 * The address of this machine at which something accepts TCP connections on the port: IPv4 if it does at both,
 * `undefined` if at neither.
 */
export async function findListening(port: number): Promise<string | undefined> {
  const accepts = await Promise.all(LOOPBACK_ADDRESSES.map((host) => connectOnce(host, port)));
  return LOOPBACK_ADDRESSES.find((_, index) => accepts[index]);
}

function connectOnce(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy());
    socket.once("error", () => {}); // `close` follows
    socket.once("close", () => resolve(false));
  });
}

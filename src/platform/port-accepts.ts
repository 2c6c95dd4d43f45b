import { connect } from "node:net";

/** Where a local app may listen, in the order in which it is tried. */
const LOOPBACK_ADDRESSES = ["127.0.0.1", "::1"] as const;

const CONNECT_TIMEOUT_MS = 1_000;

/** Whether something on this machine accepts TCP connections on the port, over IPv4 or IPv6. */
export async function portAccepts(port: number): Promise<boolean> {
  try {
    await Promise.any(LOOPBACK_ADDRESSES.map((host) => connectOnce(host, port)));
    return true;
  } catch {
    return false;
  }
}

function connectOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    socket.once("connect", () => {
      resolve();
      socket.destroy();
    });
    socket.once("timeout", () => socket.destroy());
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
  });
}

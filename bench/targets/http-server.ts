import { once } from "node:events";
import type { Server } from "node:http";

/** As many as chanctl's listeners take. */
const BACKLOG = 4_096;

/** Listens on a free port of the loopback. @returns the port. */
export async function listenAnywhere(server: Server): Promise<number> {
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG });
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  return address.port;
}

/** Stops listening and drops every connection. Does nothing if it is closed already. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

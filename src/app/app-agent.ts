import { Agent } from "node:http";
import type { Connector } from "./app-connection.ts";
import { keepAnswer } from "./keep-answer.ts";

/**
 * A connection that has waited for longer is not used again: many apps close one after 5 s, some after 2 s, and a
 * request that meets that cannot be repeated. Short of a new connection for each, which would run out of ports.
 */
const MAX_IDLE_MS = 1_000;

/** Keeps the connections of requests that must not be sent twice. */
export function createAppAgent(connect: Connector, protocol: string): Agent {
  const agent = new Agent({ keepAlive: true, timeout: MAX_IDLE_MS });
  agent.createConnection = ({ host, port }, callback) => {
    const hostname = host ?? "localhost";
    connect({ hostname, host: hostname, protocol, port: String(port ?? "") }, (...[error, socket]) => {
      // Node's types ask for a socket even with an error; Node does not.
      if (error !== null) callback?.(error, undefined as never);
      else {
        keepAnswer(socket);
        callback?.(null, socket);
      }
    });
    return undefined;
  };
  return agent;
}

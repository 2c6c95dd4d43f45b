import type { Agent } from "node:http";
import { buildConnector } from "undici";
import { lookupAt } from "../platform/localhost-lookup.ts";
import { createAppAgent } from "./app-agent.ts";
import { AppConnection } from "./app-connection.ts";
import type { Connector } from "./app-connection.ts";
import type { App } from "./app.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** The connections to the app: one for each request under way, and those that wait for the next. */
export class AppConnections {
  readonly #origin: URL;
  readonly #connect: Connector;
  /** For requests that must not be sent twice. */
  readonly agent: Agent;
  readonly #all = new Set<AppConnection>();
  readonly #idle: AppConnection[] = [];
  #isClosed = false;

  constructor(app: Pick<App, "origin" | "address">) {
    this.#origin = app.origin;
    this.#connect = buildConnector({ lookup: lookupAt(() => app.address), timeout: CONNECT_TIMEOUT_MS });
    this.agent = createAppAgent((options, callback) => this.#dial(options, callback), app.origin.protocol);
  }

  #dial(...[options, callback]: Parameters<Connector>): void {
    this.#connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null || !this.#isClosed) return callback(...result);
      socket.destroy();
      callback(new Error("the proxy is closed"), null);
    });
  }

  /** A connection to be used for one request; the one used last first, as it is the likeliest to be open. */
  take(): AppConnection {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = new AppConnection(this.#origin, this.#connect);
    this.#all.add(connection);
    if (this.#isClosed) void connection.destroy();
    return connection;
  }

  /** Takes a connection back that has done its request. */
  giveBack(connection: AppConnection): void {
    connection.resume();
    connection.wasUsed = true;
    this.#idle.push(connection);
  }

  /** Closes a connection whose request failed. */
  discard(connection: AppConnection): void {
    this.#all.delete(connection);
    void connection.destroy();
  }

  /** Closes all; requests under way fail, and so do later ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.length = 0;
    this.agent.destroy();
    await Promise.all([...this.#all].map((connection) => connection.destroy()));
  }
}

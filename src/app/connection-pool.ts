import type { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { buildConnector } from "undici";
import { lookupAt } from "../platform/localhost-lookup.ts";
import { createAppAgent } from "./app-agent.ts";
import { AppConnection } from "./app-connection.ts";
import type { Connector } from "./app-connection.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const DRAIN_POLL_MS = 20;

interface PoolOptions {
  readonly origin: URL;
  /** The address that the origin's name stands for. */
  readonly address: () => string | undefined;
}

/** The connections to one origin: one for each request under way, and those that wait for the next. */
export class ConnectionPool {
  readonly #origin: URL;
  readonly #connect: Connector;
  /** For requests that must not be sent twice. */
  readonly agent: Agent;
  readonly #all = new Set<AppConnection>();
  readonly #idle: AppConnection[] = [];
  /** How many connections the agent is about to have. */
  #dialing = 0;
  #isClosed = false;

  constructor({ origin, address }: PoolOptions) {
    this.#origin = origin;
    this.#connect = buildConnector({ lookup: lookupAt(address), timeout: CONNECT_TIMEOUT_MS });
    this.agent = createAppAgent((options, callback) => this.#dial(options, callback), origin.protocol);
  }

  #dial(...[options, callback]: Parameters<Connector>): void {
    this.#dialing += 1;
    this.#connect(options, (...result) => {
      this.#dialing -= 1;
      const [error, socket] = result;
      if (error !== null || !this.#isClosed) return callback(...result);
      socket.destroy();
      callback(new Error("the proxy is closed"), null);
    });
  }

  /**
   * A connection to be used for one request; the one used last first, as it is the likeliest to be open.
   *
   * @param options.isFresh one that no request has used. @default false
   */
  take({ isFresh = false }: { readonly isFresh?: boolean } = {}): AppConnection {
    const idle = isFresh ? undefined : this.#idle.pop();
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

  /** Waits until no request is under way, then closes all. Call it when no request will come any more. */
  async drain(): Promise<void> {
    while (!this.#isClosed && this.#isBusy) await delay(DRAIN_POLL_MS);
    await this.close();
  }

  /** Closes all; requests under way fail, and so do later ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#idle.length = 0;
    this.agent.destroy();
    await Promise.all([...this.#all].map((connection) => connection.destroy()));
  }

  get #isBusy(): boolean {
    const isAgentBusy = this.#dialing > 0 || Object.keys(this.agent.sockets).length > 0;
    return isAgentBusy || this.#all.size > this.#idle.length;
  }
}

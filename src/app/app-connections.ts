import type { Agent } from "node:http";
import type { AppConnection } from "./app-connection.ts";
import type { App } from "./app.ts";
import { ConnectionPool } from "./connection-pool.ts";

/** The connections to the app, wherever it answers: a new request goes to the run that answers now. */
export class AppConnections {
  readonly #app: Pick<App, "origin" | "address">;
  readonly #pools = new Map<string, ConnectionPool>();
  readonly #poolOf = new WeakMap<AppConnection, ConnectionPool>();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(app: Pick<App, "origin" | "address" | "onReplaced">) {
    this.#app = app;
    this.#stopListening = app.onReplaced((earlier) => this.#leave(earlier));
  }

  /** For requests that must not be sent twice; to be used at once, for where the app answers at this moment. */
  get agent(): Agent {
    return this.#pool().agent;
  }

  /**
   * A connection to be used for one request, at once: it is to where the app answers at this moment.
   *
   * @param options.isFresh one that no request has used. @default false
   */
  take(options: { readonly isFresh?: boolean } = {}): AppConnection {
    const pool = this.#pool();
    const connection = pool.take(options);
    this.#poolOf.set(connection, pool);
    return connection;
  }

  /** Takes a connection back that has done its request. */
  giveBack(connection: AppConnection): void {
    this.#poolOf.get(connection)?.giveBack(connection);
  }

  /** Closes a connection whose request failed. */
  discard(connection: AppConnection): void {
    this.#poolOf.get(connection)?.discard(connection);
  }

  /** Closes all; requests under way fail, and so do later ones. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening();
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  #pool(): ConnectionPool {
    const app = this.#app;
    const { origin } = app;
    const existing = this.#pools.get(origin.href);
    if (existing !== undefined) return existing;
    let known = app.address;
    // A run that was replaced keeps the address at which it was seen.
    const address = (): string | undefined => {
      if (app.origin.href === origin.href) known = app.address;
      return known;
    };
    const pool = new ConnectionPool({ origin, address });
    this.#pools.set(origin.href, pool);
    if (this.#isClosed) void pool.close();
    return pool;
  }

  async #leave(earlier: URL): Promise<void> {
    await this.#pools.get(earlier.href)?.drain();
    this.#pools.delete(earlier.href);
  }
}

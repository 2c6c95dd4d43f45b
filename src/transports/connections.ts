import { ChanctlError } from "../shared/errors.ts";
import type { Limits } from "../shared/limits.ts";

/** A live connection, as the one list of all connections sees it. */
export interface Connection {
  readonly channel: string;
  readonly subject: string | undefined;
  readonly address: string;
  /** Somebody from outside: not the app, not the operator. */
  readonly isClient: boolean;
  /**
   * From when the next heartbeat is counted, by `performance.now()`: the last thing sent; the last ping where the
   * peer must answer, for on a busy stream it would else never be asked for a sign of life.
   */
  readonly lastBeatAt: number;
  /**
   * When the first heartbeat was sent that nothing has been heard since, by `performance.now()`; `undefined` where
   * there is none, or the peer never speaks (SSE). Not when it was last heard: whoever was not asked for a sign of
   * life, as before its interval was made shorter, is not silent.
   */
  readonly unansweredSince: number | undefined;
  readonly keepaliveIntervalMs: number;
  /** When it has lived long enough, by `performance.now()`. */
  readonly endsAt: number;
  /** Sends a heartbeat. */
  keepAlive(): void;
  /** Says why, then ends. `afterMs`: when the client should come back. */
  end(reason: ChanctlError, options?: { readonly afterMs?: number }): void;
  /** Ends at once, without a word. */
  kill(): void;
}

type Newcomer = Pick<Connection, "subject" | "address" | "isClient">;

/** What an ending is decided by. */
type Member = Pick<Connection, "channel" | "subject">;

interface Ending {
  readonly at: number;
  readonly matches: (member: Member) => boolean;
  readonly reason: ChanctlError;
}

const TICK_MS = 1_000;
/**
 * Longer than the app may take for an answer, with the wait in line (30 s), the repeats while it restarts (10 s) and
 * the last attempt (5 s): whoever it has let in before an ending is met by that ending.
 */
const ENDINGS_KEPT_MS = 60_000;
/** Clients that a shutdown sends away come back spread over this time. */
const RECONNECT_SPREAD_MS = 5_000;
const SILENT_INTERVALS = 2;

/** All subscriber connections: how many there may be, their heartbeats, their ends. One timer serves all. */
export class Connections {
  readonly #all = new Set<Connection>();
  #clientCount = 0;
  readonly #bySubject = new Map<string, number>();
  readonly #byAddress = new Map<string, number>();
  /** Who waits to be let in, by address: whether as somebody is not known yet. */
  readonly #expected = new Map<string, number>();
  #expectedCount = 0;
  /** The latest, oldest first. */
  readonly #endings: Ending[] = [];
  readonly #limits: Limits;
  readonly #timer: NodeJS.Timeout;
  #isClosing = false;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /**
   * Asks for room before the work of opening a connection is done. Limits on clients do not bind the app.
   *
   * @throws {ChanctlError} `rate_limited` naming the limit; `service_restart` while the server is closing.
   */
  assertRoom({ subject, address, isClient }: Newcomer): void {
    this.#assertAnyRoom({ isClient });
    if (!isClient) return;
    const { maxConnectionsPerSubject, maxConnectionsPerAddress } = this.#limits;
    if (subject !== undefined) {
      if ((this.#bySubject.get(subject) ?? 0) < maxConnectionsPerSubject) return;
      throw overLimit("maxConnectionsPerSubject", maxConnectionsPerSubject);
    }
    if ((this.#byAddress.get(address) ?? 0) < maxConnectionsPerAddress) return;
    throw overLimit("maxConnectionsPerAddress", maxConnectionsPerAddress);
  }

  /**
   * Counts somebody whom the app has yet to let in, until the result is disposed of: a wait holds a socket and a
   * place in the app's line, and must not be had for nothing (CWE-770).
   *
   * @throws {ChanctlError} as `assertRoom`.
   */
  expect({ address, isClient }: Omit<Newcomer, "subject">): Disposable {
    this.#assertAnyRoom({ isClient });
    if (!isClient) return { [Symbol.dispose]: () => {} };
    const { maxConnectionsPerAddress } = this.#limits;
    if ((this.#expected.get(address) ?? 0) >= maxConnectionsPerAddress) {
      throw overLimit("maxConnectionsPerAddress", maxConnectionsPerAddress);
    }
    this.#expectedCount += 1;
    step(this.#expected, address, 1);
    return {
      [Symbol.dispose]: () => {
        this.#expectedCount -= 1;
        step(this.#expected, address, -1);
      },
    };
  }

  #assertAnyRoom({ isClient }: Pick<Newcomer, "isClient">): void {
    if (this.#isClosing)
      throw new ChanctlError("service_restart", "the server is shutting down", { retryAfterSecs: 1 });
    const { maxConnections } = this.#limits;
    if (isClient && this.#clientCount + this.#expectedCount >= maxConnections)
      throw overLimit("maxConnections", maxConnections);
  }

  /**
   * Counts a connection until it is removed. One that was granted before an ending that means it is ended now: it
   * was on its way when all others were (CWE-367).
   *
   * @param askedAt when the app was asked about it, by `performance.now()`.
   */
  add(connection: Connection, { askedAt }: { readonly askedAt: number }): void {
    this.#all.add(connection);
    this.#count(connection, 1);
    const missed = this.#endingSince(connection, askedAt);
    if (missed !== undefined) connection.end(missed.reason, { afterMs: spreadReconnect() });
  }

  /** Whether a grant still holds: nothing that means its holder has been ended since the app was asked. */
  isCurrent(member: Member, { askedAt }: { readonly askedAt: number }): boolean {
    const isRemembered = performance.now() - askedAt < ENDINGS_KEPT_MS;
    return isRemembered && this.#endingSince(member, askedAt) === undefined;
  }

  remove(connection: Connection): void {
    if (this.#all.delete(connection)) this.#count(connection, -1);
  }

  /** Ends all connections that match, those too that the app is being asked about. Returns how many there were. */
  endWhere(matches: (member: Member) => boolean, reason: ChanctlError): number {
    this.#forgetEndings();
    this.#endings.push({ at: performance.now(), matches, reason });
    const ended = [...this.#all].filter(matches);
    endAll(ended, reason);
    return ended.length;
  }

  /** From the newest on: most were asked about a moment ago, and look at none. */
  #endingSince(member: Member, askedAt: number): Ending | undefined {
    for (let index = this.#endings.length - 1; index >= 0; index -= 1) {
      const ending = this.#endings[index];
      if (ending === undefined || ending.at < askedAt) return undefined;
      if (ending.matches(member)) return ending;
    }
    return undefined;
  }

  #forgetEndings(): void {
    const since = performance.now() - ENDINGS_KEPT_MS;
    const kept = this.#endings.findIndex(({ at }) => at >= since);
    this.#endings.splice(0, kept === -1 ? this.#endings.length : kept);
  }

  /**
   * Sends everyone away, each with a time of its own to come back, so that they don't all return at once. Who has
   * publishes under way leaves when they are acknowledged: whoever closes the listeners waits for that.
   */
  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearInterval(this.#timer);
    // No ending to remember: nobody comes any more, and what they publish meanwhile is as good as before.
    endAll(this.#all, new ChanctlError("service_restart", "the server is restarting"));
  }

  /** The app's own connections take no client's place. */
  #count({ subject, address, isClient }: Connection, by: 1 | -1): void {
    if (!isClient) return;
    this.#clientCount += by;
    if (subject === undefined) step(this.#byAddress, address, by);
    else step(this.#bySubject, subject, by);
  }

  #tick(): void {
    const now = performance.now();
    this.#forgetEndings();
    for (const connection of this.#all) {
      const { lastBeatAt, unansweredSince, keepaliveIntervalMs, endsAt } = connection;
      if (now >= endsAt) {
        const reason = new ChanctlError("lifetime_over", "the connection has lived its time");
        connection.end(reason, { afterMs: spread(TICK_MS) });
      } else if (
        unansweredSince !== undefined &&
        now - unansweredSince > keepaliveIntervalMs * SILENT_INTERVALS + TICK_MS
      ) {
        connection.kill();
      } else if (now - lastBeatAt >= keepaliveIntervalMs) connection.keepAlive();
    }
  }
}

function endAll(connections: Iterable<Connection>, reason: ChanctlError): void {
  for (const connection of connections) connection.end(reason, { afterMs: spreadReconnect() });
}

/** When one of many that are sent away at once should come back. */
export function spreadReconnect(): number {
  return spread(RECONNECT_SPREAD_MS);
}

function spread(maxMs: number): number {
  return Math.round(Math.random() * maxMs);
}

function step(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}

function overLimit(limit: keyof Limits, value: number): ChanctlError {
  return new ChanctlError("rate_limited", `there are ${value} connections already (\`limits.${limit}\`)`, {
    limit,
    retryAfterSecs: 5,
  });
}

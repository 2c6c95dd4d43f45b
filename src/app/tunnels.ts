import type { Duplex } from "node:stream";
import type { App } from "./app.ts";

/** How long the WebSockets of a run that was replaced stay: whoever reloads code comes back to the new one. */
const LEAVE_MS = 5_000;

interface TunnelsOptions {
  /** How long those to an earlier run stay, in ms. @default 5 s */
  readonly leaveMs?: number;
}

/** The connections that clients have switched to another protocol, or are about to, by the run that they lead to. */
export class Tunnels {
  readonly #app: Pick<App, "origin">;
  readonly #leaveMs: number;
  /** Where each leads; `undefined` until the app has switched too. */
  readonly #originOf = new Map<Duplex, string | undefined>();
  readonly #stopListening: () => void;

  constructor(app: Pick<App, "origin" | "onReplaced">, { leaveMs = LEAVE_MS }: TunnelsOptions = {}) {
    this.#app = app;
    this.#leaveMs = leaveMs;
    // Nobody waits for them: a socket that nobody closes would keep the earlier run.
    this.#stopListening = app.onReplaced(async (earlier) => this.#leave(earlier));
  }

  /** Keeps an eye on a client's connection until it closes. */
  add(socket: Duplex): void {
    this.#originOf.set(socket, undefined);
    socket.once("close", () => this.#originOf.delete(socket));
  }

  /** The app at this origin has switched; if that is an earlier run by now, the client is sent to the new one. */
  join(socket: Duplex, origin: URL): void {
    this.#originOf.set(socket, origin.href);
    if (origin.href !== this.#app.origin.href) socket.destroy();
  }

  /** Cuts all off. */
  close(): void {
    this.#stopListening();
    for (const socket of this.#originOf.keys()) socket.destroy();
  }

  #leave({ href }: URL): void {
    const leaving = [...this.#originOf].filter(([, origin]) => origin === href);
    const end = (): void => {
      for (const [socket] of leaving) socket.destroy();
    };
    if (leaving.length > 0) setTimeout(end, this.#leaveMs).unref();
  }
}

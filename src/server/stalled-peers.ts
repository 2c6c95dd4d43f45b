import type { Socket } from "node:net";
import { Rounds } from "./rounds.ts";
import { tcpHandleOf } from "./tcp-handle.ts";

interface StalledPeersOptions {
  /** How often to look, in ms. @default 30,000 */
  readonly checkMs?: number;
  /** How many looks without a byte taken are too many. @default 10 */
  readonly patience?: number;
}

/** What a peer had taken when we looked last, and how often it was the same. */
interface Progress {
  readonly unsentBytes: number;
  readonly writtenBytes: number;
  readonly times: number;
}

const CHECK_MS = 30_000;
const PATIENCE = 10;

/**
 * Cuts off the peers that take nothing of what waits for them: a stopped process, whose kernel still says that it is
 * there. Each holds an answer of the app's or a subscription for good (CWE-772).
 *
 * Five minutes, where nginx waits one: the kernel's buffers hold megabytes, and it takes the next only when a third of
 * them is free, which a slow peer needs minutes for. Looks are counted and not time: a laptop that slept is no peer
 * that did nothing.
 */
export class StalledPeers {
  readonly #patience: number;
  readonly #rounds: Rounds<Socket, Progress>;

  constructor({ checkMs = CHECK_MS, patience = PATIENCE }: StalledPeersOptions = {}) {
    this.#patience = patience;
    this.#rounds = new Rounds({ everyMs: checkMs, look: (socket, last) => this.#look(socket, last) });
  }

  /** Looks after a socket until it closes. */
  watch(socket: Socket): void {
    this.#rounds.add(socket, { unsentBytes: 0, writtenBytes: 0, times: 0 });
    socket.once("close", () => this.#rounds.remove(socket));
  }

  #look(socket: Socket, last: Progress): Progress {
    const unsentBytes = tcpHandleOf(socket)?.writeQueueSize ?? 0;
    const writtenBytes = socket.bytesWritten;
    const isStuck = unsentBytes > 0 && unsentBytes === last.unsentBytes && writtenBytes === last.writtenBytes;
    const times = isStuck ? last.times + 1 : 0;
    if (times >= this.#patience) socket.destroy();
    return { unsentBytes, writtenBytes, times };
  }
}

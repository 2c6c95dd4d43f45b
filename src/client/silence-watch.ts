import { host } from "./host.ts";
import { PONG_MS, TICK_MS } from "./limits.ts";

interface Watched {
  readonly silenceMs: number;
  /** Asks the server for a sign of life; `undefined` where it cannot be asked. */
  readonly ping: () => (() => void) | undefined;
  /** Nothing was heard for too long. */
  readonly onSilent: () => void;
  /** The network, or the page, is back. */
  readonly onAwake: () => void;
  /** Each second. */
  readonly onTick: () => void;
  readonly signal: AbortSignal;
}

/**
 * Notices a connection that has died without a word: a laptop that slept, a network that changed. Browsers show no
 * WebSocket pings, so the server is asked for a sign of life after half the time.
 *
 * @returns what is to be called whenever something came.
 */
export function watchSilence({ silenceMs, ping, onSilent, onAwake, onTick, signal }: Watched): () => void {
  let heardAt = 0;
  let askedAt = 0; // not asked
  const tick = (): void => {
    const now = Date.now();
    onTick();
    const ask = ping();
    if (now - heardAt < silenceMs / (ask ? 2 : 1)) return;
    // However long it was quiet, asked first: the timers of a hidden tab come a minute late.
    if (ask && !askedAt) {
      askedAt = now;
      ask();
    } else if (now - askedAt > PONG_MS) onSilent();
  };
  const check = (): void => {
    onAwake();
    heardAt = Math.min(heardAt, Date.now() - silenceMs / 2);
    tick();
  };
  const timer = setInterval(tick, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  host.addEventListener?.("online", check, { signal });
  host.document?.addEventListener("visibilitychange", check, { signal });
  return () => {
    heardAt = Date.now();
    askedAt = 0;
  };
}

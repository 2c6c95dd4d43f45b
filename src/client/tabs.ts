import { host } from "./host.ts";
import type { Locks, TabFrame } from "./host.ts";

/**
 * The tabs of one origin that read the same, of which one, the leader, holds a connection and tells the others what
 * comes. Whoever holds the Web Lock leads; the browser gives it to the next as soon as the leader is gone.
 */
export interface Tabs {
  readonly isLeader: () => boolean;
  readonly tell: (frame: TabFrame) => void;
  /** Told what the others say. */
  onFrame: (frame: TabFrame) => void;
  /** Lets another lead, if there is one. */
  readonly resign: () => void;
}

interface JoinOptions {
  readonly locks: Locks;
  /** The same in all tabs that share. */
  readonly name: string;
  readonly onLead: () => void;
  readonly signal: AbortSignal;
}

/** Joins the tabs of a name, until `signal` is aborted. */
export function joinTabs({ locks, name, onLead, signal }: JoinOptions): Tabs {
  const channel = new host.BroadcastChannel(name);
  let release: (() => void) | undefined;
  const stand = (): void => {
    const lead = (): Promise<void> =>
      new Promise((resolve) => {
        release = resolve;
        onLead();
      });
    locks.request(name, { signal }, lead).catch(() => {});
  };
  const tabs: Tabs = {
    isLeader: () => release !== undefined,
    tell: (frame) => signal.aborted || channel.postMessage(frame),
    onFrame: () => {},
    resign() {
      if (release === undefined) return;
      release();
      release = undefined;
      stand();
    },
  };
  channel.onmessage = ({ data }: { readonly data: TabFrame }) => tabs.onFrame(data);
  signal.addEventListener("abort", () => {
    release?.();
    channel.close();
  });
  stand();
  return tabs;
}

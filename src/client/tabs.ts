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
  /** What is read. */
  readonly url: string;
  /** Tabs that show different tokens may be different people, and do not share. */
  readonly token: string | undefined;
  readonly onLead: () => void;
  readonly signal: AbortSignal;
}

/** Joins the tabs that read the same, until `signal` is aborted, which it must not be yet. */
export function joinTabs({ locks, url, token = "", onLead, signal }: JoinOptions): Tabs {
  const name = `chanctl ${url} ${hash(token)}`;
  const channel = new host.BroadcastChannel(name);
  let release: (() => void) | undefined;
  const lead = (): Promise<void> =>
    new Promise((resolve) => {
      release = resolve;
      onLead();
    });
  const stand = (): void => void locks.request(name, { signal }, lead).catch(() => {});
  const tabs: Tabs = {
    isLeader: () => release !== undefined,
    tell: (frame) => signal.aborted || channel.postMessage(frame),
    onFrame: () => {},
    resign() {
      if (!release) return;
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

/** Enough to tell the users of one browser apart, and nothing of the token. */
function hash(text: string): number {
  let value = 0;
  for (const character of text) value = (Math.imul(value, 31) + character.charCodeAt(0)) | 0;
  return value;
}

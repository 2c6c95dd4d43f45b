// How long the client waits, and how much it holds. Apart from what uses them, for bundlers put constants that stand
// behind no import in the place of their names: some 60 bytes.

/** The first pause before a connection is made anew. */
export const FIRST_PAUSE_MS = 500;
export const LONGEST_PAUSE_MS = 30_000;
/** Some proxies neither pass an upgrade on nor refuse it. */
export const OPEN_TIMEOUT_MS = 10_000;
/** How often a connection is checked for silence. */
export const TICK_MS = 1_000;
/** How long the server may take for a sign of life that it was asked for. */
export const PONG_MS = 10_000;
/** When what the app granted is refreshed, as a part of its time. */
export const REFRESH_AFTER = 0.8;
export const MAX_TIMER_MS = 2_147_483_647;

/** How long the leader may take for an answer; a tab that is frozen keeps its lock and says nothing. */
export const LEADER_MS = 2_000;
export const ASK_LEADER_EVERY_MS = 10_000;

/** How long nothing is published where the server was too busy for it. */
export const PUBLISH_PAUSE_MS = 1_000;
/** Publishes sent on a WebSocket and not yet acknowledged: less than the burst that the server allows. */
export const PUBLISH_WINDOW = 50;

/** Messages that may wait for one slow iterator. */
export const FULL = 1_000;

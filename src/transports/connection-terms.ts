import type { Grant } from "../auth/grant.ts";
import type { Channel } from "../registry/channel.ts";
import type { Registry } from "../registry/registry.ts";
import type { ConnectionOverrides } from "../protocol/app-call.ts";

/** What holds for one connection, each time that it is read. */
export interface ConnectionTerms {
  /** How far back it may read. */
  readonly replayWindowMs: number;
  readonly keepaliveIntervalMs: number;
  /** When it has lived long enough, by `performance.now()`. */
  readonly endsAt: number;
}

export interface TermsRequest {
  readonly channel: Channel;
  /** What the app allows by now: an `auth` frame may have brought another. */
  readonly grant: () => Pick<Grant, "overrides" | "expiresAt">;
}

/**
 * The terms of a connection that begins now: the channel's lifecycle as it is whenever they are read, so that a saved
 * one holds at once, but for what the app chose for this connection. It ends between 80 and 100 % of its lifetime,
 * and not after its grant; a new grant does not begin a new life.
 */
export function connectionTerms(
  registry: Pick<Registry, "get">,
  { channel, grant }: TermsRequest,
): ConnectionTerms {
  const startedAt = performance.now();
  const share = 0.8 + 0.2 * Math.random();
  const setting = (key: keyof ConnectionOverrides): number =>
    grant().overrides[key] ?? (registry.get(channel.name) ?? channel).definition.lifecycle[key];
  return {
    get replayWindowMs() {
      return setting("replayWindowMs");
    },
    get keepaliveIntervalMs() {
      return setting("keepaliveIntervalMs");
    },
    get endsAt() {
      const { expiresAt = Number.POSITIVE_INFINITY } = grant();
      const grantEndsAt = performance.now() + expiresAt - Date.now();
      return Math.min(startedAt + share * setting("maxConnectionLifetimeMs"), grantEndsAt);
    },
  };
}

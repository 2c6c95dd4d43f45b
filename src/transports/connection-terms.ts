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
  readonly grant: Pick<Grant, "overrides" | "expiresAt">;
}

/**
 * The terms of a connection that begins now: the channel's lifecycle as it is whenever they are read, so that a saved
 * one holds at once, but for what the app chose for this connection. It ends between 80 and 100 % of its lifetime,
 * and not after its grant.
 */
export function connectionTerms(
  registry: Pick<Registry, "get">,
  { channel, grant }: TermsRequest,
): ConnectionTerms {
  const { overrides, expiresAt } = grant;
  const startedAt = performance.now();
  const grantEndsAt = expiresAt === undefined ? Number.POSITIVE_INFINITY : startedAt + expiresAt - Date.now();
  const share = 0.8 + 0.2 * Math.random();
  const setting = (key: keyof ConnectionOverrides): number =>
    overrides[key] ?? (registry.get(channel.name) ?? channel).definition.lifecycle[key];
  return {
    get replayWindowMs() {
      return setting("replayWindowMs");
    },
    get keepaliveIntervalMs() {
      return setting("keepaliveIntervalMs");
    },
    get endsAt() {
      return Math.min(startedAt + share * setting("maxConnectionLifetimeMs"), grantEndsAt);
    },
  };
}

import { parseDurationMs } from "../../shared/duration.ts";
import { ChanctlError } from "../../shared/errors.ts";

/** How long a stream lives, as typed. */
export interface LifetimeFlags {
  /** `24h`, or seconds. */
  readonly ttl?: string;
  /** A time such as `2027-01-31T12:00:00Z`. */
  readonly expiresAt?: string;
}

/**
 * The headers of a stream's lifetime (PROTOCOL.md, section 5.1).
 *
 * @throws {ChanctlError} `usage` for both, for a part of a second, or for what is no duration and no time.
 */
export function toLifetimeHeaders({ ttl, expiresAt }: LifetimeFlags): Record<string, string> {
  if (ttl !== undefined && expiresAt !== undefined) {
    throw new ChanctlError("usage", "`--ttl` and `--expires-at` exclude each other", {
      hint: "--ttl 24h     from the last use on, or --expires-at for a fixed time",
    });
  }
  return {
    ...(ttl === undefined ? {} : { "stream-ttl": String(parseTtlSecs(ttl)) }),
    ...(expiresAt === undefined ? {} : { "stream-expires-at": parseTime(expiresAt) }),
  };
}

function parseTtlSecs(text: string): number {
  const secs = /^\d{1,10}$/.test(text) ? Number(text) : (parseDurationMs(text) ?? Number.NaN) / 1_000;
  if (Number.isSafeInteger(secs)) return secs;
  throw new ChanctlError("usage", `\`--ttl\` must be whole seconds such as \`24h\`, got \`${text}\``, {
    hint: "--ttl 24h",
  });
}

/** In the one form that the protocol takes (RFC 3339); a date alone is midnight in UTC. */
function parseTime(text: string): string {
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new ChanctlError("usage", `\`--expires-at\` must be a time, got \`${text}\``, {
    hint: `--expires-at ${new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, "")}`,
  });
}

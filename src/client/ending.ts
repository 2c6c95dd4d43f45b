import { spreadMs } from "./backoff.ts";
import { ChannelError } from "./channel-error.ts";
import type { Settled } from "./publish-queue.ts";

/** Some of what was missed can no longer be read. */
export interface Gap {
  /** The offset that replays everything retained. */
  readonly oldest: string | undefined;
  /** The tail. */
  readonly newest: string | undefined;
}

/** How one connection ended, and so what comes next. */
export type Ending =
  /** We have ended it ourselves. */
  | { readonly kind: "left" }
  /** Come back with the last id: after what the server asked for, else with backoff. */
  | { readonly kind: "lost"; readonly afterMs?: number | undefined }
  /** Come back without an id. */
  | { readonly kind: "gap"; readonly gap: Gap; readonly afterMs: 0 }
  /** Come back with the last id; a publish did not fit into a frame. */
  | { readonly kind: "too-big" }
  /** A WebSocket cannot be opened from here; with `error`: the channel has none. */
  | { readonly kind: "unsuited"; readonly error?: ChannelError }
  /** Do not come back; after a 401, only with another token. */
  | { readonly kind: "refused"; readonly error: ChannelError };

/** What a server may say: the members of a problem body, of an answer to a publish, of a control frame. */
export interface Answer {
  readonly control?: string;
  readonly ref?: string;
  readonly id?: string | undefined;
  readonly ids?: readonly string[];
  readonly expiresInMs?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly message?: string;
  readonly fix?: string;
  readonly afterMs?: number | undefined;
  readonly oldest?: string;
  readonly newest?: string;
}

/** What a refusal, or the end of a connection, means; `status` is HTTP's, or anything below 400. */
export function toEnding(status: number, answer: Answer): Ending {
  const { control, afterMs, oldest, newest } = answer;
  // Of what a client did, these pass: time-out, too early, too many.
  if (status < 400 || status >= 500 || [408, 425, 429].includes(status)) {
    // The server spreads a `reconnect`; a refusal says the same to all. Without either, what it said last was of
    // something else.
    if (control === "reconnect") return { kind: "lost", afterMs };
    return { kind: "lost", afterMs: status < 400 ? undefined : afterMs && spreadMs(afterMs) };
  }
  if (status === 410) return { kind: "gap", gap: { oldest, newest }, afterMs: 0 };
  const error = toError(status, answer);
  return { kind: error.code === "transport_forbidden" ? "unsuited" : "refused", error };
}

/** The error that a refusal tells of. */
function toError(
  status: number | undefined,
  { code = "internal", detail, message = detail, fix }: Answer,
): ChannelError {
  return new ChannelError(code, message ?? `refused with status ${status}`, { status, hint: fix });
}

/** What an answer to a publish means: to a POST with this status, or to a frame. */
export function toSettled(answer: Answer, status?: number): Settled {
  const { id, afterMs } = answer;
  if (id !== undefined) return { kind: "stored", id };
  // What may pass later says when; a proxy with nobody behind it, and one that lets nobody through, do not.
  if (afterMs !== undefined || (status ?? 0) > 500) return { kind: "passing", afterMs };
  return { kind: "refused", error: toError(status, answer) };
}

/** Reads what a server said; what is no JSON, as a proxy's page, says nothing. */
export function parseAnswer(text: string): Answer {
  try {
    return (JSON.parse(text) as Answer | null) ?? {};
  } catch {
    return {};
  }
}

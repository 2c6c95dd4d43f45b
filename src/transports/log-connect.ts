import type { AuthorizeRequest } from "../protocol/app-call.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { TransportContext } from "./context.ts";

interface Subscriber {
  /** The stream's canonical path. */
  readonly path: string;
  readonly subject: string | undefined;
  /** The connection's own; a channel of the other is read over this one, too. */
  readonly transport: AuthorizeRequest["transport"];
}

/**
 * Tells the log who came.
 *
 * @returns Tells it that they went, and why if the server ended it.
 */
export function logConnect(
  { logger }: TransportContext,
  { path, subject, transport }: Subscriber,
): (reason: ChanctlError | undefined) => void {
  const startedAt = performance.now();
  const who = subject === undefined ? "" : ` ${subject}`;
  logger({
    level: "info",
    event: "connect",
    message: `connect ${path}${who}`,
    fields: { path, subject, transport },
  });
  return (reason) => {
    const why = reason === undefined ? "" : `: ${reason.title}`;
    const durationMs = performance.now() - startedAt;
    logger({
      level: "info",
      event: "disconnect",
      message: `disconnect ${path}${who}${why}`,
      fields: { path, subject, transport, durationMs, code: reason?.code },
    });
  };
}

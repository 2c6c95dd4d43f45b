import type { AuthorizeRequest } from "../protocol/app-call.ts";
import { BoundedLines, inTheLastSecond } from "../platform/bounded-lines.ts";
import { clip } from "../shared/clip.ts";
import type { Registry } from "../registry/registry.ts";
import type { ChanctlError } from "../shared/errors.ts";
import type { Logger } from "../shared/logger.ts";

const MAX_REASON_LENGTH = 200;

/** A connection, a publish or a request that was refused. */
export interface Refusal {
  readonly error: ChanctlError;
  /** As the URL names it, whether there is one or not; absent where none was looked for. */
  readonly channel?: string;
  readonly address: string;
  readonly transport: AuthorizeRequest["transport"];
}

/**
 * Tells the log who was refused, and why: of each code and limit the first at once, those of the next second together
 * in one line, and so on.
 *
 * Most errors quote what the client sent, which may be a token in the wrong place: the log gets their title and what
 * they say may be logged, and only of failures of the server's own the message (CWE-532).
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #registry: Pick<Registry, "isBroken" | "suggest">;
  readonly #lines = new BoundedLines<string, Refusal>((last, count) => this.#tell(last, count));

  constructor(logger: Logger, registry: Pick<Registry, "isBroken" | "suggest">) {
    this.#logger = logger;
    this.#registry = registry;
  }

  /** Counts a refusal. One that says "come back" to whoever was let in is none. */
  note(refusal: Refusal): void {
    const { error } = refusal;
    if (!error.isResumable) this.#lines.note(`${error.code} ${error.limit ?? ""}`, refusal);
  }

  /** Tells what is still held. */
  close(): void {
    this.#lines.close();
  }

  #tell({ error, channel: name, address, transport }: Refusal, count: number): void {
    const channel = name === undefined ? undefined : clip(name);
    const { code, title, status, limit, hint, logged } = error;
    const isOurs = status >= 500;
    const reason = logged?.reason ?? (code === "channel_unknown" ? this.#meant(name) : undefined);
    const known = reason === undefined ? title : `${title}: ${clip(reason, MAX_REASON_LENGTH)}`;
    const why = isOurs ? error.message : limit === undefined ? known : `${title} (limits.${limit})`;
    const place = logged?.path ?? channel;
    this.#logger({
      level: isOurs || limit !== undefined ? "warn" : "info",
      event: "refused",
      message: `refused ${place ?? "a request"} to ${address}: ${why}${inTheLastSecond(count)}`,
      fields: { code, channel, path: logged?.path, address, transport, count, limit, hint },
    });
  }

  /** For the developer alone: which channels there are is no business of a stranger. */
  #meant(name = ""): string | undefined {
    if (this.#registry.isBroken(name)) return "its file does not load";
    const near = this.#registry.suggest(name);
    return near === undefined ? undefined : `did you mean \`${near}\`?`;
  }
}

import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { resolveTarget } from "../target/target.ts";
import type { Target } from "../target/target.ts";
import { readListing } from "./listing.ts";

/** Where a stream is. */
export interface StreamPlace {
  /** As the person typed it. */
  readonly name: string;
  readonly target: Target;
  /** From the server's root: `/ds/jobs/42`. */
  readonly path: string;
  /** What the URL said beside it, a signed token for example; sent along. */
  readonly query: URLSearchParams;
}

/** The options of every verb. */
export interface PlaceFlags {
  /** Where a server's streams are. @default the project's running server */
  readonly url?: string;
  /** A caller's credential for `url`. */
  readonly token?: string;
}

/** Where chanctl serves streams unless it was told otherwise; assumed of a URL without a path. */
const DEFAULT_MOUNT = "/ds";

/**
 * Finds a stream: by its whole URL, by its path below `--url`, or by its path on the project's running server.
 *
 * @throws {ChanctlError} `cannot_connect`, `not_found` where the server has Durable Streams turned off, `usage`.
 */
export async function locateStream(
  name: string,
  { flags, io, signal }: { flags: PlaceFlags; io: Io; signal: AbortSignal },
): Promise<StreamPlace> {
  if (/^https?:\/\//.test(name)) return placeOfUrl(name, { flags, io });
  const below = encodePath(name);
  const target = await resolveTarget(flags, io);
  if (target.isInternal) {
    const { path: mount } = await readListing(target, { limit: 0, signal });
    return { name, target, path: `${mount}/${below}`, query: new URLSearchParams() };
  }
  const mount = target.url.pathname === "/" ? DEFAULT_MOUNT : target.url.pathname.replace(/\/$/, "");
  return { name, ...toPlace(target), path: `${mount}/${below}` };
}

async function placeOfUrl(name: string, { flags, io }: { flags: PlaceFlags; io: Io }): Promise<StreamPlace> {
  if (flags.url !== undefined) {
    throw new ChanctlError("usage", "a stream's URL and `--url` exclude each other", {
      hint: "give the stream's path below `--url`, or its URL alone",
    });
  }
  const target = await resolveTarget({ url: name, token: flags.token }, io);
  return { name, ...toPlace(target), path: target.url.pathname };
}

/** The server alone: `call` puts a target's own path before each request's. */
function toPlace(target: Target): Pick<StreamPlace, "target" | "query"> {
  return { target: { ...target, url: new URL(target.url.origin) }, query: target.url.searchParams };
}

/**
 * Writes a path as URLs have it. What is percent-encoded already stays: what a listing or a `Location` says can be
 * pasted.
 *
 * @throws {ChanctlError} `usage` for an empty segment, `.` and `..`, which a URL would resolve to another stream.
 */
export function encodePath(name: string): string {
  const path = name.replace(/^\//, "");
  const segments = path.split("/");
  const kept = segments.filter((segment) => !/^(?:\.|%2e){0,2}$/i.test(segment));
  if (kept.length < segments.length) {
    throw new ChanctlError("usage", `the stream's path must be segments joined by \`/\`, got \`${name}\``, {
      hint: `give \`${kept.join("/") || "jobs/42"}\`: no segment is empty, \`.\` or \`..\``,
    });
  }
  const escaped = path
    .replaceAll(/%(?![0-9a-f]{2})/gi, "%25")
    .replaceAll(/[?#\\]/g, (character) => encodeURIComponent(character));
  return new URL(`http://stream/${escaped}`).pathname.slice(1);
}

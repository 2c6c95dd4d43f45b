import type { StreamListing } from "../../server/stream-listing.ts";
import { call, errorOfAnswer } from "../target/call.ts";
import type { Target } from "../target/target.ts";

interface ListingRequest {
  readonly prefix?: string;
  readonly after?: string | undefined;
  /** 0 to 1,000; with 0 only the mount is told. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * Asks the project's running server for its raw streams, which only the operator may see.
 *
 * @throws {ChanctlError} `cannot_connect`, `not_found` where Durable Streams are off.
 */
export async function readListing(
  target: Target,
  { prefix, after, limit, signal }: ListingRequest,
): Promise<StreamListing> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (prefix !== undefined) query.set("prefix", prefix);
  if (after !== undefined) query.set("after", after);
  const answer = await call(target, { path: `/_chanctl/streams?${query.toString()}`, signal });
  if (answer.status !== 200) throw errorOfAnswer(answer);
  return JSON.parse(answer.text) as StreamListing; // our own server's, of this version
}

import { ChanctlError } from "../../shared/errors.ts";
import { call, errorOfAnswer } from "../target/call.ts";
import type { Target } from "../target/target.ts";
import { openEvents } from "./open-events.ts";

interface TailIdOptions {
  readonly channel: string;
  readonly params: URLSearchParams;
  readonly signal: AbortSignal;
}

/**
 * The offset after a channel's last message, now. The internal listener tells it; a public server tells it
 * to whoever begins to read at the live tail.
 *
 * @throws {ChanctlError} What the server refused it with, or `cannot_connect`.
 */
export async function readTailId(
  target: Target,
  { channel, params, signal }: TailIdOptions,
): Promise<string> {
  const query = params.toString();
  if (!target.isInternal) return readLivePosition(target, { path: `/channels/${channel}?${query}`, signal });
  const answer = await call(target, { path: `/_chanctl/tail/${channel}?${query}`, signal });
  if (answer.status !== 200) throw errorOfAnswer(answer);
  const value: unknown = JSON.parse(answer.text);
  if (typeof value === "object" && value !== null && "id" in value && typeof value.id === "string")
    return value.id;
  throw noPosition();
}

async function readLivePosition(
  target: Target,
  options: { readonly path: string; readonly signal: AbortSignal },
): Promise<string> {
  for await (const item of await openEvents(target, options)) {
    if (item.kind === "position" || item.kind === "event") return item.id;
  }
  throw noPosition();
}

function noPosition(): ChanctlError {
  return new ChanctlError("malformed", "the server must tell the stream's tail, got something else", {
    hint: "check that the URL is a chanctl server's",
  });
}

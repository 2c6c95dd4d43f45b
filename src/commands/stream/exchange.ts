import { clip } from "../../shared/clip.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { call, errorOfAnswer } from "../target/call.ts";
import type { Answer } from "../target/call.ts";
import type { Target } from "../target/target.ts";
import { escapeControls } from "../terminal-text.ts";
import { readListing } from "./listing.ts";
import { encodePath } from "./place.ts";
import type { StreamPlace } from "./place.ts";

interface StreamRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

/** Longer than any long-poll waits, and than the pause between two keepalives of an event stream. */
export const SILENCE_MS = 90_000;

/**
 * Sends a request for a stream and reads the answer, whatever its status is below 300.
 *
 * @throws {ChanctlError} `cannot_connect`, or what the server refused it with.
 */
export async function requestStream(place: StreamPlace, request: StreamRequest): Promise<Answer> {
  const { method, headers = {}, query = {}, body = "", signal } = request;
  const path = toRequestPath(place, query);
  const answer = await call(place.target, { path, method, headers, body, silenceMs: SILENCE_MS, signal });
  if (answer.status < 300) return answer;
  // An answer to HEAD has no body that could say why (RFC 9110, section 9.3.2).
  if (method === "HEAD") await requestStream(place, { ...request, method: "GET", query: { offset: "now" } });
  throw await toStreamError(answer, { place, signal });
}

/** A stream's path with its query; the names in order, as shared caches like it (PROTOCOL.md, section 10.1). */
export function toRequestPath({ path, query }: StreamPlace, more: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams([...query, ...Object.entries(more)]);
  all.sort();
  return all.size === 0 ? path : `${path}?${all.toString()}`;
}

/** The error that an answer is; for a stream that is not there, with the name that was meant. */
async function toStreamError(
  answer: Pick<Answer, "status" | "headers" | "text">,
  { place, signal }: { place: StreamPlace; signal: AbortSignal },
): Promise<ChanctlError> {
  const error = errorOfAnswer(answer);
  if (error.code === "stream_unknown") {
    const { message, status, fields } = error;
    return new ChanctlError(error.code, message, { status, fields, hint: await hintOf(place, signal) });
  }
  if (error.code !== "internal") return error;
  // Another server's: what it says is all that there is.
  const text = clip(escapeControls(answer.text.trim()));
  if (text === "" || /^[<{]/.test(text)) return error;
  return new ChanctlError("internal", `${error.message}: ${text}`, { status: error.status });
}

async function hintOf({ name, target }: StreamPlace, signal: AbortSignal): Promise<string> {
  // Its neighbours first: of a store with many streams one page is looked at.
  const folder = target.isInternal ? encodePath(name).replace(/\/?[^/]*$/, "") : "";
  const near =
    (await nearName(name, { target, prefix: folder, signal })) ??
    (await nearName(name, { target, prefix: "", signal }));
  return near === undefined ? `chanctl stream create ${name}     makes it` : `did you mean \`${near}\`?`;
}

async function nearName(
  name: string,
  { target, prefix, signal }: { target: Target; prefix: string; signal: AbortSignal },
): Promise<string | undefined> {
  if (!target.isInternal) return undefined;
  const { streams } = await readListing(target, { prefix, limit: 1_000, signal });
  return didYouMean(
    name,
    streams.map((stream) => stream.name),
  );
}

import { parseDurationMs } from "../../shared/duration.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { untilEnded } from "../until-ended.ts";
import { readBodies } from "./append/bodies.ts";
import { Producer } from "./append/producer.ts";
import { parseTypeFlag } from "./media-type-flag.ts";
import { locateStream } from "./place.ts";
import type { PlaceFlags } from "./place.ts";
import { createRetry } from "./retry.ts";
import { readStreamState } from "./stream-state.ts";

export interface AppendFlags extends PlaceFlags {
  readonly type?: string;
  readonly close?: true;
  readonly retryFor: string;
  readonly json?: true;
}

interface AppendInput {
  readonly name: string;
  /** What to append: the text itself, `@file`, or `-` for standard input. */
  readonly data: string;
  readonly flags: AppendFlags;
}

/**
 * Appends to a stream; ends well only when all of it is acknowledged.
 *
 * @throws {ChanctlError} `stream_unknown`, `stream_closed`, `usage`, `cannot_connect` and what else it is refused with.
 */
export async function runStreamAppend(input: AppendInput, io: Io): Promise<void> {
  const retryForMs = parseRetryFor(input.flags.retryFor);
  try {
    await untilEnded(io, (signal) => append(input, { io, retryForMs, signal }));
  } finally {
    if (input.data === "-") io.stdin.destroy(); // an input without end would keep the process alive
  }
}

async function append(
  { name, data, flags }: AppendInput,
  { io, retryForMs, signal }: { io: Io; retryForMs: number; signal: AbortSignal },
): Promise<void> {
  const { yellow } = palette(io.errorColor);
  const onOutage = ({ message }: ChanctlError): void => io.stderr(yellow(`retrying: ${message}\n`));
  const retry = createRetry({ retryForMs, onOutage, signal });
  const locate = () => locateStream(name, { flags, io, signal });
  const mediaType =
    flags.type === undefined
      ? (await retry(async () => readStreamState(await locate(), signal))).contentType
      : parseTypeFlag(flags.type);
  const producer = new Producer({ locate, mediaType, retry, signal });
  try {
    for await (const body of readBodies(data, { mediaType, io })) await producer.append(body);
    if (flags.close) await producer.close();
  } catch (error) {
    if (producer.nextOffset !== undefined)
      io.stderr(yellow(`everything up to ${producer.nextOffset} is stored\n`));
    throw error;
  }
  const { nextOffset, count } = producer;
  if (flags.json) {
    const closed = flags.close === true;
    io.stdout(`${JSON.stringify({ path: name, nextOffset, appends: count, closed })}\n`);
  } else if (nextOffset !== undefined) io.stdout(`${nextOffset}\n`);
}

function parseRetryFor(text: string): number {
  const milliseconds = parseDurationMs(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new ChanctlError("usage", `\`--retry-for\` must be a duration such as \`1m\`, got \`${text}\``, {
    hint: "--retry-for 1m",
  });
}

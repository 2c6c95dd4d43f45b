import { NeedleScanner } from "./needle-scanner.ts";

/** What a message tells of itself, so that whoever reads it can check and time it. */
export interface Mark {
  /** The publisher's lane: messages of one lane are published one after the other. */
  readonly lane: number;
  /** Counts the messages of a lane from 0. */
  readonly number: number;
  /** When it was to be published, by `nowUs`. */
  readonly atUs: number;
}

/** A message of the bench, unless a scenario says otherwise. */
const PAYLOAD_BYTES = 256;
const NEEDLE = '"mark":"';
const LANE_DIGITS = 4;
const NUMBER_DIGITS = 9;
const TIME_DIGITS = 15;
const MARK_BYTES = LANE_DIGITS + NUMBER_DIGITS + TIME_DIGITS;

/**
 * Makes the JSON of a message between what the target wants around it:
 *
 * ```
 *  prefix {"mark":"llllnnnnnnnnnttttttttttttttt","pad":"······"} suffix
 * ```
 */
export class PayloadMaker {
  readonly #bytes: Buffer;
  readonly #markAt: number;

  /** @param bytes the length of the message's JSON. @default 256 */
  constructor(
    { prefix, suffix }: { readonly prefix: string; readonly suffix: string },
    bytes: number = PAYLOAD_BYTES,
  ) {
    const head = `{${NEEDLE}${"0".repeat(MARK_BYTES)}","pad":"`;
    const text = `${head}${"x".repeat(bytes - head.length - 2)}"}`;
    this.#bytes = Buffer.from(`${prefix}${text}${suffix}`, "latin1");
    this.#markAt = this.#bytes.indexOf(NEEDLE) + NEEDLE.length;
  }

  /** The bytes of one message; the same buffer each time, so they must be written or copied before the next. */
  make({ lane, number, atUs }: Mark): Buffer {
    writeDigits(this.#bytes, lane, { at: this.#markAt, digits: LANE_DIGITS });
    writeDigits(this.#bytes, number, { at: this.#markAt + LANE_DIGITS, digits: NUMBER_DIGITS });
    writeDigits(this.#bytes, atUs, { at: this.#markAt + LANE_DIGITS + NUMBER_DIGITS, digits: TIME_DIGITS });
    return this.#bytes;
  }
}

/** Finds the marks in whatever framing the bytes come: WebSocket frames, event streams, JSON pages. */
export function createMarkScanner(
  onMark: (lane: number, number: number, atUs: number) => void,
): NeedleScanner {
  return new NeedleScanner(NEEDLE, {
    bytesAfter: MARK_BYTES,
    onFound: (bytes, at) => {
      const markAt = at + NEEDLE.length;
      const numberAt = markAt + LANE_DIGITS;
      const timeAt = numberAt + NUMBER_DIGITS;
      // Three numbers and no object: this runs half a million times a second.
      onMark(
        readDigits(bytes, markAt, numberAt),
        readDigits(bytes, numberAt, timeAt),
        readDigits(bytes, timeAt, timeAt + TIME_DIGITS),
      );
    },
  });
}

function writeDigits(bytes: Buffer, value: number, { at, digits }: { at: number; digits: number }): void {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index -= 1) {
    bytes[index] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

function readDigits(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index += 1) value = value * 10 + ((bytes[index] ?? 0) - 0x30);
  return value;
}

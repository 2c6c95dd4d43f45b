import { ChanctlError } from "../../shared/errors.ts";

interface Progress {
  /** The last line of the input that is stored; 0 without one. */
  readonly storedTo: number;
  /** The lines that were under way, by their number in the input; empty where none were. */
  readonly underWay: readonly number[];
}

/**
 * What stopped a publish of standard input, told by the input's own lines (from 1), and what is stored: a batch is
 * stored whole or not at all, and its size is ours, not the person's.
 */
export function toInputError(error: ChanctlError, { storedTo, underWay }: Progress): ChanctlError {
  const { code, message, hint, fields, status } = error;
  const index = typeof fields["index"] === "number" ? fields["index"] : -1;
  const line = underWay[index];
  const where = line === undefined ? linesText(underWay) : `line ${line}`;
  const place = underWay.length === 0 ? "" : `${where} of the input: `;
  const bare = message.replace(`message ${index}: `, "").replace(`message ${index}`, "the message");
  const stored =
    storedTo === 0 ? "nothing is published" : `published up to line ${storedTo}, and nothing after it`;
  // Whoever lost the connection can't know what the server did with the last batch.
  const isUnknown = code === "cannot_connect" && underWay.length > 0;
  const before = storedTo === 0 ? "" : `published up to line ${storedTo}; `;
  const unknown = `${before}whether ${linesText(underWay)} came through is not known`;
  return new ChanctlError(code, `${place}${bare}\n${isUnknown ? unknown : stored}`, {
    cause: error,
    status,
    ...(hint === undefined ? {} : { hint }),
  });
}

function linesText(lines: readonly number[]): string {
  const [first = 0] = lines;
  const last = lines.at(-1) ?? first;
  return first === last ? `line ${first}` : `lines ${first} to ${last}`;
}

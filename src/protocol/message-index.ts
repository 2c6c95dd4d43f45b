import { ChanctlError } from "../shared/errors.ts";

interface Place {
  /** Of the message in its batch, from 0. */
  readonly index: number;
  /** Goes before what the check says, where that names no message. @default none */
  readonly prefix?: string;
}

/**
 * Runs a check of one message of a batch: what it throws carries the message's `index`, so that a program need not
 * read it out of the sentence.
 */
export function atIndex<T>({ index, prefix = "" }: Place, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ChanctlError)) throw error;
    const { code, message, hint, limit, logged, fields } = error;
    throw new ChanctlError(code, prefix + message, {
      cause: error,
      fields: { ...fields, index },
      ...(hint === undefined ? {} : { hint }),
      ...(limit === undefined ? {} : { limit }),
      ...(logged === undefined ? {} : { logged }),
    });
  }
}

import type { ChanctlError } from "../shared/errors.ts";

/** The media type of a problem body (RFC 9457, section 3). */
export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The body of an HTTP error. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fix?: string;
  readonly [field: string]: unknown;
}

/**
 * The problem body of an error. Whatever is not a `ChanctlError` is a bug and tells the client nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
export function toProblem(error: ChanctlError): Problem {
  return {
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(error.hint === undefined ? {} : { fix: error.hint }),
    ...error.fields,
  };
}

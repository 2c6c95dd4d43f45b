import type { ChanctlError } from "../shared/errors.ts";

/** The media type of a problem body (RFC 9457, section 3). */
const PROBLEM_CONTENT_TYPE = "application/problem+json";

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
function toProblem(error: ChanctlError): Problem {
  return {
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(error.hint === undefined ? {} : { fix: error.hint }),
    ...error.fields,
  };
}

/** An HTTP answer in full; the names of its headers are in lower case. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The HTTP answer that an error is. `Retry-After` is in whole seconds (RFC 9110, section 10.2.3). */
export function toProblemAnswer(error: ChanctlError): ProblemAnswer {
  const { status, retryAfterSecs } = error;
  return {
    status,
    headers: {
      "content-type": PROBLEM_CONTENT_TYPE,
      "cache-control": "no-store",
      ...(retryAfterSecs === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSecs)) }),
    },
    body: JSON.stringify(toProblem(error)),
  };
}

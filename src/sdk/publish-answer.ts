import { ChanctlError, ERRORS } from "../shared/errors.ts";
import type { ErrorCode } from "../shared/errors.ts";

/** The ids of a publish that the broker has stored; `undefined` if the body says no such thing. */
export function parseStored(text: string): readonly string[] | undefined {
  const ids = parseObject(text)["ids"];
  return Array.isArray(ids) && ids.every((id) => typeof id === "string") ? ids : undefined;
}

/**
 * The error that the broker's problem body tells of.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
export function toChanctlError({ status, headers }: Response, text: string): ChanctlError {
  const { code, detail, fix } = parseObject(text);
  const retryAfterSecs = parseRetryAfterSecs(headers.get("retry-after"));
  const options = { status, ...(retryAfterSecs === undefined ? {} : { retryAfterSecs }) };
  if (!isErrorCode(code) || typeof detail !== "string") {
    const message = `the broker must answer with ids or a problem, got status ${status} and ${text.length} characters of something else`;
    return new ChanctlError("internal", message, {
      ...options,
      hint: "check that `CHANCTL_URL` is the broker's",
    });
  }
  return new ChanctlError(code, detail, typeof fix === "string" ? { ...options, hint: fix } : options);
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERRORS, value);
}

/** `Retry-After` in its form as seconds (RFC 9110, section 10.2.3); the broker never sends the form as a date. */
function parseRetryAfterSecs(value: string | null): number | undefined {
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

import { describe, expect, it } from "vitest";
import { ChanctlError, ERRORS, errorCodeOf, messageOf } from "#src/shared/errors.ts";
import type { ErrorCode } from "#src/shared/errors.ts";

/** Page 2's table of codes, as close, HTTP status and the name in the error table. */
const WIRE: readonly (readonly [code: ErrorCode, close: number, status: number])[] = [
  ["going_away", 1001, 500],
  ["service_restart", 1012, 503],
  ["channel_changed", 1012, 503],
  ["binary_unsupported", 1003, 415],
  ["too_big", 1009, 413],
  ["malformed", 4400, 400],
  ["params_invalid", 4422, 400],
  ["unauthenticated", 4401, 401],
  ["forbidden", 4403, 403],
  ["transport_forbidden", 4403, 403],
  ["origin_forbidden", 4403, 403],
  ["channel_unknown", 4404, 404],
  ["lifetime_over", 4408, 500],
  ["disconnected", 4408, 503],
  ["replay_window_exceeded", 4410, 410],
  ["rate_limited", 4429, 429],
  ["app_unavailable", 4503, 503],
];

describe("the error table", () => {
  it.each(WIRE)("closes `%s` with %d and answers %d", (code, close, status) => {
    const error = new ChanctlError(code, "what happened");
    expect([error.closeCode, error.status]).toEqual([close, status]);
  });

  it("lets a client come back only where its connection ended without a refusal", () => {
    const codes = Object.keys(ERRORS) as ErrorCode[];
    const resumable = codes.filter((code) => new ChanctlError(code, "").isResumable);
    expect(resumable.toSorted()).toEqual([
      "channel_changed",
      "disconnected",
      "going_away",
      "lifetime_over",
      "service_restart",
    ]);
  });

  it.each([
    ["usage", 2],
    ["config_invalid", 3],
    ["definition_invalid", 3],
    ["no_terminal", 4],
    ["cannot_connect", 5],
    ["store_in_use", 1],
  ] as const)("exits with the code of page 1 for `%s`", (code, exitCode) => {
    expect(new ChanctlError(code, "").exitCode).toBe(exitCode);
  });

  it("answers 507 for a full store and 422 for a key used again", () => {
    expect(new ChanctlError("store_full", "").status).toBe(507);
    expect(new ChanctlError("key_reused", "").status).toBe(422);
  });
});

describe("ChanctlError", () => {
  it("takes status and hint from the table unless it is given others", () => {
    const plain = new ChanctlError("content_type_unsupported", "got text/plain");
    expect([plain.status, plain.hint]).toEqual([415, "send `content-type: application/json`"]);
    const given = new ChanctlError("forbidden", "no", {
      status: 404,
      hint: "ask",
      retryAfterSecs: 2,
      cause: plain,
    });
    expect([given.status, given.hint, given.retryAfterSecs, given.cause]).toEqual([404, "ask", 2, plain]);
  });

  it("is 500 and 1011 where the table names no status and no close code", () => {
    const error = new ChanctlError("port_in_use", "");
    expect([error.status, error.closeCode]).toEqual([500, 1011]);
  });
});

it("reads message and code of anything that was thrown", () => {
  expect([messageOf(new Error("why")), messageOf("why"), messageOf(undefined)]).toEqual([
    "why",
    "why",
    "undefined",
  ]);
  expect([errorCodeOf({ code: "ENOENT" }), errorCodeOf({ code: 5 }), errorCodeOf(null)]).toEqual([
    "ENOENT",
    undefined,
    undefined,
  ]);
});

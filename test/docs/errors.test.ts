import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ERRORS } from "#src/shared/errors.ts";
import type { ErrorRow, Reconnect } from "#src/shared/errors.ts";
import { toErrorsPage } from "../../scripts/docs/errors-page.ts";

/** How a client comes back after each close code; after the others it does not. */
const RECONNECT: Readonly<Record<number, Reconnect>> = {
  1001: "resume",
  1011: "wait",
  1012: "resume",
  4401: "sign-in",
  4408: "resume",
  4410: "afresh",
  4429: "wait",
  4503: "wait",
};

const rows: readonly (readonly [code: string, row: ErrorRow])[] = Object.entries(ERRORS);

describe("docs/errors.md", () => {
  it("is what `npm run docs` makes now", async () => {
    const page = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");
    expect(page).toBe(toErrorsPage(ERRORS));
  });

  it("has a line for every code", () => {
    const page = toErrorsPage(ERRORS);
    expect(rows.filter(([code]) => page.split(`\n| \`${code}\` |`).length !== 2)).toEqual([]);
  });

  it.each(rows)("tells of `%s` the way back that its close code means", (_code, { close, reconnect }) => {
    expect(reconnect).toBe(close === undefined ? undefined : RECONNECT[close]);
  });
});

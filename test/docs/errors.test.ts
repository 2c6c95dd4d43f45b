import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { ERRORS } from "#src/shared/errors.ts";
import { toErrorsPage } from "../../scripts/docs/errors-page.ts";

it("docs/errors.md is what `npm run docs` makes now", async () => {
  const page = await readFile(new URL("../../docs/errors.md", import.meta.url), "utf8");
  expect(page).toBe(toErrorsPage(ERRORS));
});

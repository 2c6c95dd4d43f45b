/**
 * `npm run docs`: makes docs/behaviours.md, docs/errors.md and config.schema.json from what they are about.
 *
 * Fails where the title of a behaviour test is of no row. A gap does not fail it: the page shows it, and
 * test/docs/behaviours.test.ts fails.
 */
import { writeFile } from "node:fs/promises";
import { configSchema } from "#src/server/config-schema.ts";
import { ERRORS } from "#src/shared/errors.ts";
import { SECTIONS } from "../test/behaviours/rows.ts";
import { toBehavioursPage } from "./docs/behaviours-page.ts";
import { toErrorsPage } from "./docs/errors-page.ts";
import { toEvidence } from "./docs/evidence.ts";
import { listTests } from "./docs/listed-tests.ts";

const evidence = toEvidence(SECTIONS, await listTests("test/behaviours"));
await writePage("behaviours.md", toBehavioursPage(SECTIONS, evidence));
await writePage("errors.md", toErrorsPage(ERRORS));
await writePage("../config.schema.json", `${JSON.stringify(configSchema(), undefined, 2)}\n`);

function writePage(name: string, text: string): Promise<void> {
  return writeFile(new URL(`../docs/${name}`, import.meta.url), text);
}

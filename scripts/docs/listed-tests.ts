import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A test as vitest lists it. */
export interface ListedTest {
  /** Its own title behind those of its `describe` blocks, joined by " > ". */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
}

/** The tests of a folder, each case of an `each` by itself. Skipped ones are not listed: they show nothing. */
export async function listTests(folder: string): Promise<readonly ListedTest[]> {
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [vitest, "list", folder, "--json", "--passWithNoTests"],
    { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as readonly ListedTest[];
}

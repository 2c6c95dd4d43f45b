import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { toBuildError } from "../../platform/build-error.ts";
import { parsePackageJson } from "./package-json.ts";
import type { PackageJson } from "./package-json.ts";

const NAME = "package.json";

/**
 * Reads the package.json of a folder.
 *
 * @throws {ChanctlError} `config_invalid` if it is not a JSON object, with its place where it is no JSON.
 */
export async function readPackageJson(folder: string): Promise<PackageJson> {
  const text = await readFile(join(folder, NAME), "utf8");
  try {
    return parsePackageJson(text);
  } catch (error) {
    await assertJson(text, folder);
    throw error;
  }
}

/** Node says at which character a text is no JSON, and not always; esbuild says the line, and is loaded only for this. */
async function assertJson(text: string, folder: string): Promise<void> {
  const { transform } = await import("esbuild");
  await transform(text, { loader: "json", sourcefile: NAME, logLevel: "silent" }).catch(
    async (cause: unknown) => {
      throw await toBuildError(cause, {
        entry: join(folder, NAME),
        errorCode: "config_invalid",
        root: folder,
      });
    },
  );
}

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, parse, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import type { Plugin } from "esbuild";

import type { ErrorCode } from "../shared/errors.ts";
import { toBuildError } from "./build-error.ts";

/** What to bundle, and where to. */
export interface BundleOptions {
  /** The TypeScript, JavaScript or JSON file, absolute. */
  readonly entry: string;
  /** Where the bundle is written: a folder inside the project, so that it finds the project's packages. */
  readonly cacheFolder: string;
  /** The code of the error that a broken module is. */
  readonly errorCode: ErrorCode;
  /** What paths in errors are relative to. @default the entry's folder */
  readonly root?: string;
  /** Told of each file just before it is read, and of each that is imported and not there; also when bundling fails. */
  readonly onInput?: (file: string) => void;
}

/** A bundled module. */
export interface Bundle {
  /** The module to import: a new file each time. The caller removes it. */
  readonly outfile: string;
  /** The source files it was made from, absolute. */
  readonly inputs: readonly string[];
  /** What it still imports, as written: packages and Node's own modules. */
  readonly imports: readonly string[];
}

/**
 * Bundles a module and all of its own source files into one that Node can import. Packages stay outside.
 *
 * `import.meta.url`, `dirname` and `filename` (and `__dirname`, `__filename`) keep saying where each source file
 * is, and an inline source map leads stack traces back to them.
 *
 * @throws {ChanctlError} `errorCode`, with file:line:column and a code frame.
 */
export async function bundleModule(options: BundleOptions): Promise<Bundle> {
  const { entry, cacheFolder, errorCode, root = dirname(entry), onInput } = options;
  const outfile = join(cacheFolder, `${parse(entry).name}-${randomBytes(6).toString("hex")}.mjs`);
  const inputs = new Set<string>();
  const sources = sourcePlugin((file) => {
    if (inputs.has(file)) return;
    inputs.add(file);
    onInput?.(file);
  });
  try {
    // Imported here: esbuild costs 10 ms, and not every command bundles.
    const { build } = await import("esbuild");
    const { metafile } = await build({
      entryPoints: [entry],
      outfile,
      absWorkingDir: root,
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      sourcesContent: false,
      logLevel: "silent",
      metafile: true,
      define: INJECTED_NAMES,
      // CommonJS sources go on calling `require`, which an ES module lacks.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
      plugins: [sources.plugin],
    });
    const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
    return { outfile, inputs: [...inputs], imports: imports.map(({ path }) => path) };
  } catch (cause) {
    throw await toBuildError(cause, { entry, errorCode, root, prefixLengths: sources.prefixLengths });
  }
}

const INJECTED_NAMES: Readonly<Record<string, string>> = {
  "import.meta.url": "__source_url",
  "import.meta.filename": "__source_filename",
  "import.meta.dirname": "__source_dirname",
  __filename: "__source_filename",
  __dirname: "__source_dirname",
};
const SCRIPT = /\.([cm]?[jt]s|[jt]sx)$/;
const ASKS_WHERE_IT_IS = /import\.meta\.|__(?:dir|file)name/;

function sourcePlugin(onInput: (file: string) => void): {
  readonly plugin: Plugin;
  /** How far the first line of a file was moved to the right. */
  readonly prefixLengths: ReadonlyMap<string, number>;
} {
  const prefixLengths = new Map<string, number>();
  const plugin: Plugin = {
    name: "source-files",
    setup(build) {
      // An import of what is not there must be known too: creating that file repairs the module.
      build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        onInput(resolve(resolveDir, path));
        return undefined;
      });
      build.onLoad({ filter: /./, namespace: "file" }, async ({ path }) => {
        onInput(path);
        const extension = SCRIPT.exec(path)?.[1];
        if (extension === undefined) return undefined;
        const source = await readFile(path, "utf8");
        if (!ASKS_WHERE_IT_IS.test(source)) return undefined;
        const prefix =
          `const __source_url = ${JSON.stringify(pathToFileURL(path).href)}, ` +
          `__source_filename = ${JSON.stringify(path)}, __source_dirname = ${JSON.stringify(dirname(path))};`;
        prefixLengths.set(path, prefix.length);
        return { contents: prefix + source, loader: loaderOf(extension) };
      });
    },
  };
  return { plugin, prefixLengths };
}

function loaderOf(extension: string): "ts" | "tsx" | "js" | "jsx" {
  if (extension === "tsx" || extension === "jsx") return extension;
  return extension.endsWith("ts") ? "ts" : "js";
}

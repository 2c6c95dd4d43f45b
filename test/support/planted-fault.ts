import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { FollowingCode } from "./following-simulation.ts";
import type { HandoverCode } from "./handover-simulation.ts";
import type { StreamCode } from "./stream-simulation.ts";

/** One slip in one file of `src`: the text that is there, and what a tired engineer might have written. */
export interface PlantedFault {
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

const BROKER = fileURLToPath(new URL("../../src/broker", import.meta.url));
const SQLITE = pathToFileURL(createRequire(import.meta.url).resolve("better-sqlite3")).href;

/** Compiles the hub and its subscribers with a fault planted in the source. Fails if the text is not there once. */
export async function loadWithFault(fault: PlantedFault): Promise<HandoverCode> {
  const contents = `export { Hub } from "./hub.ts"; export { Pages } from "./pages.ts"; export { Subscriber } from "./subscriber.ts";`;
  return (await bundleWithFault(contents, fault)) as HandoverCode;
}

/** Compiles `apply` and the reader with a fault planted in the source. Fails if the text is not there once. */
export async function loadStoreWithFault(fault: PlantedFault): Promise<StreamCode> {
  const contents = `export { createApply } from "./apply.ts"; export { Reader } from "./reader.ts";`;
  return (await bundleWithFault(contents, fault)) as StreamCode;
}

/** Compiles all that stands between a commit and an event stream, with a fault planted. Fails if the text is not there once. */
export async function loadFollowingWithFault(fault: PlantedFault): Promise<FollowingCode> {
  const contents = `export { createApply } from "./apply.ts"; export { Reader } from "./reader.ts";
    export { Hub } from "./hub.ts"; export { Pages } from "./pages.ts"; export { Subscriber } from "./subscriber.ts";
    export { createStreamEvents } from "../transports/durable-streams/stream-events.ts";`;
  return (await bundleWithFault(contents, fault)) as FollowingCode;
}

/** Compiles an entry of `src/broker` with a fault planted in one of its files. Fails if the text is not there once. */
export async function bundleWithFault(
  contents: string,
  { file, replace, by }: PlantedFault,
): Promise<unknown> {
  let isPlanted = false;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: BROKER },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    plugins: [
      {
        name: "planted-fault",
        setup: (plugin) => {
          // What is loaded from a data URL finds no packages.
          plugin.onResolve({ filter: /^better-sqlite3$/ }, () => ({ path: SQLITE, external: true }));
          plugin.onLoad({ filter: /src.(broker|transports|protocol).[a-z/-]+\.ts$/ }, ({ path }) => {
            const source = readFileSync(path, "utf8");
            return { loader: "ts", contents: basename(path) === file ? plant(source) : source };
          });
        },
      },
    ],
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  if (!isPlanted) throw new Error(`the entry does not use ${file}`);
  return import(`data:text/javascript;base64,${code}`);

  function plant(source: string): string {
    const parts = source.split(replace);
    if (parts.length !== 2)
      throw new Error(`expected this once in ${file}, got it ${parts.length - 1} times: ${replace}`);
    isPlanted = true;
    return parts.join(by);
  }
}

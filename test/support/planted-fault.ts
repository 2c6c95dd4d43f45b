import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { HandoverCode } from "./handover-simulation.ts";

/** One slip in one file of `src/broker`: the text that is there, and what a tired engineer might have written. */
export interface PlantedFault {
  readonly file: "hub.ts" | "live-stream.ts" | "pages.ts" | "subscriber.ts";
  readonly replace: string;
  readonly by: string;
}

const BROKER = fileURLToPath(new URL("../../src/broker", import.meta.url));

/** Compiles the hub and its subscribers with a fault planted in the source. Fails if the text is not there once. */
export async function loadWithFault({ file, replace, by }: PlantedFault): Promise<HandoverCode> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { Hub } from "./hub.ts"; export { Pages } from "./pages.ts"; export { Subscriber } from "./subscriber.ts";`,
      resolveDir: BROKER,
    },
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    plugins: [
      {
        name: "planted-fault",
        setup: (plugin) =>
          plugin.onLoad({ filter: /src.broker.[a-z-]+\.ts$/ }, ({ path }) => {
            const source = readFileSync(path, "utf8");
            return { loader: "ts", contents: basename(path) === file ? plant(source) : source };
          }),
      },
    ],
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  return (await import(`data:text/javascript;base64,${code}`)) as HandoverCode;

  function plant(source: string): string {
    const parts = source.split(replace);
    if (parts.length !== 2)
      throw new Error(`expected this once in ${file}, got it ${parts.length - 1} times: ${replace}`);
    return parts.join(by);
  }
}

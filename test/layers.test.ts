import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../src", import.meta.url));

/** What each folder may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  protocol: ["shared"],
  platform: ["shared"],
  broker: ["shared", "protocol", "platform"],
  auth: ["shared", "protocol", "platform"],
  registry: ["shared", "protocol", "platform"],
  app: ["shared", "protocol", "platform"],
  certs: ["shared", "protocol", "platform"],
  sdk: ["shared", "protocol"],
  client: ["shared", "protocol"],
  react: ["client"],
  transports: ["shared", "protocol", "platform", "broker", "auth", "registry"],
  server: ["shared", "protocol", "platform", "broker", "auth", "registry", "app", "certs", "transports"],
  commands: ["shared", "protocol", "platform", "broker", "registry", "app", "certs", "server"],
  "cli.ts": ["shared", "platform", "commands"],
  "index.ts": ["shared", "protocol", "sdk"],
  "client.ts": ["protocol", "client"],
  "react.ts": ["react"],
  "config.ts": ["server"],
  "server.ts": ["shared", "app", "server"],
};

/** Runs in browsers: no module of Node's and no package. */
const BROWSER_SAFE = new Set(["shared", "protocol", "client", "client.ts"]);

const IMPORT = /(?:^|\s)(?:from|import)\s*\(?\s*"([^"\n]+)"/g;

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

describe.each(files)("src/%s", (file) => {
  it("imports only from the layers below", () => {
    const layer = layerOf(file);
    const allowed = MAY_IMPORT[layer];
    if (allowed === undefined) throw new Error(`\`${layer}\` is in no layer: add it to the table`);
    const imports = [...readFileSync(join(SRC, file), "utf8").matchAll(IMPORT)].map(([, path = ""]) => path);
    const outer = imports.filter((path) => !path.startsWith("."));
    const layers = imports
      .filter((path) => path.startsWith("."))
      .map((path) => layerOf(join(dirname(file), path)));
    expect(layers.filter((to) => to !== layer && !allowed.includes(to))).toEqual([]);
    if (BROWSER_SAFE.has(layer)) expect(outer).toEqual([]);
  });
});

/** The folder below `src`, or the entry file itself. */
function layerOf(file: string): string {
  return relative(SRC, join(SRC, file)).split(sep)[0] ?? "";
}

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

const MAX_BYTES = 5_000;

it("weighs less than 5 kB, minified and gzipped, and needs nothing of Node's", async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: ["dist/client.js"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser", // a module of Node's would be an error
    target: "es2022",
    write: false,
    metafile: true,
  });
  const [bundle] = outputFiles;
  expect(gzipSync(bundle?.contents ?? "", { level: 9 }).length).toBeLessThan(MAX_BYTES);
  expect(
    Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external)),
  ).toEqual([]);
  expect(bundle?.text).not.toMatch(/\bprocess\b|\bBuffer\b|\brequire\b/);
});

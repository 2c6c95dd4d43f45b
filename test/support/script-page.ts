import { build } from "esbuild";
import type { Listener } from "./fixture-app.ts";

/** What serves a page that runs `source`, a module that may import packages and `./dist/`. */
export async function buildScriptPage(source: string): Promise<Listener> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    write: false,
    define: { "process.env.NODE_ENV": '"development"' },
  });
  const script = outputFiles[0]?.text ?? "";
  const html = '<!doctype html><body></body><script type="module" src="/page.js"></script>';
  return (request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : html);
  };
}

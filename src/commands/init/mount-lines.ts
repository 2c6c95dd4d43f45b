import type { Framework } from "./framework.ts";
import type { Project } from "./project.ts";

/** How an app gets at its channels, by what its files are. */
type Style = "load" | "load-later" | "import";

/**
 * The lines that mount the SDK in the app, to be written by its author: `init` edits nobody's code.
 *
 * Next needs none, its routes are files; vite has nowhere to mount it.
 */
export function mountLines(framework: Framework, project: Project): string[] {
  if (framework === "next" || framework === "vite") return [];
  const style = styleOf(project);
  return [...OPENINGS[style], MOUNTS[framework](style)];
}

/**
 * `loadChannels` imports the files while the app runs: where that is plain JavaScript, or the app runs from its
 * TypeScript. A compiled app imports its channels, so that they are compiled with it. CommonJS has no
 * top-level `await`.
 */
function styleOf({ language, modules, runsTypeScript }: Project): Style {
  if (language === "ts") return runsTypeScript && modules === "esm" ? "load" : "import";
  return modules === "esm" ? "load" : "load-later";
}

const OPENINGS: Readonly<Record<Style, readonly string[]>> = {
  load: [`import { loadChannels } from "chanctl";`, `const channels = await loadChannels("./channels");`],
  "load-later": [
    `const { loadChannels } = require("chanctl");`,
    `const channels = loadChannels("./channels");`,
  ],
  import: [
    `import { createChannels } from "chanctl";`,
    `import chat from "./channels/chat.js"; // its path from this file`,
    `const channels = createChannels({ chat });`,
  ],
};

const MOUNTS: Readonly<Record<Exclude<Framework, "next" | "vite">, (style: Style) => string>> = {
  express: (style) =>
    style === "load-later"
      ? "app.use(async (req, res, next) => (await channels).middleware(req, res, next));"
      : "app.use(channels.middleware);",
  hono: (style) =>
    `app.post("/channels/*", ${style === "load-later" ? "async (c) => (await channels)" : "(c) => channels"}.fetch(c.req.raw));`,
  fastify: (style) =>
    style === "load-later"
      ? `app.addHook("onRequest", (req, reply, done) => void channels.then(({ middleware }) => middleware(req.raw, reply.raw, done)));`
      : `app.addHook("onRequest", (req, reply, done) => channels.middleware(req.raw, reply.raw, done));`,
  node: (style) =>
    style === "load-later"
      ? "createServer(async (req, res) => (await channels).middleware(req, res, () => yourListener(req, res)));"
      : "createServer((req, res) => channels.middleware(req, res, () => yourListener(req, res)));",
};

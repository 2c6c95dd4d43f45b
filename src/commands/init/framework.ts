/** What serves the app's requests, as far as it matters to mounting the SDK. */
export type Framework = "next" | "hono" | "fastify" | "express" | "vite" | "node";

const PACKAGES: readonly { readonly name: string; readonly framework: Framework }[] = [
  { name: "next", framework: "next" },
  { name: "hono", framework: "hono" },
  { name: "fastify", framework: "fastify" },
  { name: "express", framework: "express" },
];

/** What brings a server to vite, or serves without it: vite alone serves files only. */
const BUILT_ON_VITE =
  /^(@sveltejs\/kit|@react-router\/|@remix-run\/|@tanstack\/(react-|solid-)?start|@solidjs\/start|astro$|nuxt$|koa$|h3$|nitro)/;

/**
 * The frameworks among a project's dependencies, the most telling first; where there is none vite, if no file of the
 * folder is a server, else plain Node.
 */
export function detectFrameworks(dependencies: readonly string[], names: readonly string[]): Framework[] {
  const found = PACKAGES.filter(({ name }) => dependencies.includes(name)).map(({ framework }) => framework);
  if (found.length > 0) return found;
  const hasServer =
    dependencies.some((name) => BUILT_ON_VITE.test(name)) || names.some((name) => /^server(\.|$)/.test(name));
  return dependencies.includes("vite") && !hasServer ? ["vite"] : ["node"];
}

/** A framework's name for people. */
export const FRAMEWORK_TITLES: Readonly<Record<Framework, string>> = {
  next: "Next",
  hono: "Hono",
  fastify: "Fastify",
  express: "Express",
  vite: "vite",
  node: "plain Node",
};

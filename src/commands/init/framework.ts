/** What serves the app's requests, as far as it matters to mounting the SDK. */
export type Framework = "next" | "hono" | "fastify" | "express" | "node";

const PACKAGES: readonly { readonly name: string; readonly framework: Framework }[] = [
  { name: "next", framework: "next" },
  { name: "hono", framework: "hono" },
  { name: "fastify", framework: "fastify" },
  { name: "express", framework: "express" },
];

/** The frameworks among a project's dependencies, the most telling first; plain Node where there is none. */
export function detectFrameworks(dependencies: readonly string[]): Framework[] {
  const found = PACKAGES.filter(({ name }) => dependencies.includes(name)).map(({ framework }) => framework);
  return found.length === 0 ? ["node"] : found;
}

/** A framework's name for people. */
export const FRAMEWORK_TITLES: Readonly<Record<Framework, string>> = {
  next: "Next",
  hono: "Hono",
  fastify: "Fastify",
  express: "Express",
  node: "plain Node",
};

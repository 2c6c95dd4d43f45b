import type { Project } from "./project.ts";

/** The kinds of files that a project's definitions can be, as code. */
export type CodeExtension = "ts" | "js" | "mjs";

/**
 * What a project's channel files and config are called. Where the package is CommonJS, only `.mjs` is read as the module
 * that these files are; Next compiles them anyway.
 *
 * @param project `frameworks`: what serves the app, or all that may.
 */
export function codeExtension(project: Pick<Project, "language" | "modules" | "frameworks">): CodeExtension {
  const { language, modules, frameworks } = project;
  if (language === "ts") return "ts";
  return modules === "esm" || frameworks.includes("next") ? "js" : "mjs";
}

import { gitignoreWith, onceFile, ownFile, packageJsonWith } from "./desired-files.ts";
import type { DesiredFile } from "./desired-files.ts";
import { parsePackageJson, textsOf } from "./package-json.ts";
import type { JsonObject } from "./package-json.ts";
import { packageNameOf } from "./project.ts";
import type { Project } from "./project.ts";
import type { Template } from "./template.ts";

/** Files of a template that a project may have already, in its own way. */
const ONCE: ReadonlySet<string> = new Set(["README.md", "tsconfig.json"]);

/** The name of a template's `.gitignore`: npm leaves files of that name out of packages. */
const GITIGNORE = "_gitignore";

interface ScaffoldOptions {
  readonly project: Project;
  /** The version of chanctl to depend on. */
  readonly version: string;
}

/** Whether a folder already holds a template's code: `init` has been here. */
export function isScaffoldOf(template: Template, { paths }: Project): boolean {
  return [...template.keys()].every((path) => paths.has(path) || ONCE.has(path) || path === GITIGNORE);
}

/** A complete small app, for a folder that has none. */
export function scaffoldFiles(template: Template, options: ScaffoldOptions): DesiredFile[] {
  return [...template].map(([path, text]) => {
    if (path === GITIGNORE) return gitignoreWith(text.split("\n"));
    // `npm init` writes "commonjs" for everybody; there is no app yet that could rely on it.
    if (path === "package.json") return packageJsonWith(packageEntries(text, options), { replace: ["type"] });
    return ONCE.has(path) ? onceFile(path, text) : ownFile(path, text);
  });
}

/** The template's package.json for this project. A package that is there already stays, in whatever group. */
function packageEntries(text: string, { project, version }: ScaffoldOptions): JsonObject {
  const { fields } = parsePackageJson(text);
  const present = project.packageJson?.dependencies ?? {};
  const missing = (group: Readonly<Record<string, string>>): JsonObject =>
    Object.fromEntries(Object.entries(group).filter(([name]) => !Object.hasOwn(present, name)));
  return {
    ...fields,
    name: packageNameOf(project.folder),
    dependencies: missing({ ...textsOf(fields["dependencies"]), chanctl: version }),
    devDependencies: missing(textsOf(fields["devDependencies"])),
  };
}

import { codeExtension } from "./code-extension.ts";
import { gitignoreWith, ownFile, packageJsonWith } from "./desired-files.ts";
import type { DesiredFile } from "./desired-files.ts";
import type { Framework } from "./framework.ts";
import { nextFiles } from "./next-files.ts";
import type { JsonObject } from "./package-json.ts";
import { runCommand } from "./package-manager.ts";
import type { Project } from "./project.ts";

/** What an existing project is given. */
export interface IntegrateOptions {
  readonly project: Project;
  readonly framework: Framework;
  /** The version of chanctl to depend on. */
  readonly version: string;
  /** The text of the channel's file. */
  readonly channel: string;
}

const CHANCTL_DEV = "chanctl dev";
const JSON_CHANNEL = "channels/chat.json";

/** The files that start an app where package.json does not say how. */
const ENTRIES = ["server.js", "index.js", "app.js", "main.js", "src/server.js", "src/index.js"];

/** What an existing project needs: a config, a channel, and its entries in .gitignore and package.json. */
export function integrateFiles(options: IntegrateOptions): DesiredFile[] {
  const { project, framework, channel } = options;
  const extension = codeExtension({ ...project, frameworks: [framework] });
  return [
    ownFile(`chanctl.config.${extension}`, configText(appCommand(project))),
    ownFile(`channels/chat.${extension}`, channel),
    // A channel as JSON is nothing to import: the app answers for it without the SDK.
    ...(framework === "next" && !project.paths.has(JSON_CHANNEL) ? nextFiles(project) : []),
    gitignoreWith([".chanctl/"]),
    packageJsonWith(packageEntries(options)),
  ];
}

/** The script of package.json that starts `chanctl dev`: `dev` may be the app's own. */
export function devScript({ packageJson }: Project): "dev" | "chanctl" {
  const dev = packageJson?.scripts["dev"];
  return dev === undefined || dev === CHANCTL_DEV ? "dev" : "chanctl";
}

/** How the app is started behind chanctl: as it is today. */
function appCommand(project: Project): string {
  const { manager, packageJson, paths } = project;
  if (devScript(project) === "chanctl") return runCommand(manager, "dev");
  const entry = ENTRIES.find((path) => paths.has(path));
  if (packageJson?.scripts["start"] !== undefined || entry === undefined) return runCommand(manager, "start");
  return `node ${entry}`;
}

function configText(command: string): string {
  return `import { defineConfig } from "chanctl/config";

export default defineConfig({
  app: { command: ${JSON.stringify(command)} }, // the app must listen on the port in PORT
  channels: "./channels",
});
`;
}

function packageEntries({ project, version }: IntegrateOptions): JsonObject {
  const isPresent = project.packageJson?.dependencies["chanctl"] !== undefined;
  return {
    scripts: { [devScript(project)]: CHANCTL_DEV },
    dependencies: isPresent ? {} : { chanctl: version },
    ...(project.manager === "npm" ? { allowScripts: { "better-sqlite3": true, esbuild: true } } : {}),
  };
}

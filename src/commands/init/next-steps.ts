import { relative } from "node:path";

import type { Palette } from "../palette.ts";
import { FRAMEWORK_TITLES } from "./framework.ts";
import type { Goal } from "./goal.ts";
import { authorizeLines } from "./authorize-lines.ts";
import { devScript } from "./integrate.ts";
import { mountLines } from "./mount-lines.ts";
import { LANGUAGE_TITLES } from "./other-language.ts";
import { runCommand } from "./package-manager.ts";
import type { Project } from "./project.ts";

interface NextSteps {
  readonly project: Project;
  readonly goal: Goal;
  /** Whether packages are still to be installed. */
  readonly needsInstall: boolean;
  readonly cwd: string;
}

/** What the person does now: commands, and the lines that mount the SDK. */
export function nextSteps(steps: NextSteps, { bold, dim, cyan }: Palette): string {
  const { project, goal, needsInstall, cwd } = steps;
  const folder = relative(cwd, project.folder);
  const commands = [
    ...(folder === "" ? [] : [[`cd ${folder}`, ""]]),
    ...(needsInstall ? [[`${project.manager} install`, ""]] : []),
    ...(goal.framework === undefined
      ? []
      : [[`edit ${channelFile(goal)}`, "findUser says who may come in; nobody may yet"]]),
    [devCommand(steps), "the app over local HTTPS, its channels live"],
  ];
  const width = Math.max(...commands.map(([command = ""]) => command.length));
  const lines = commands.map(([command = "", what = ""]) =>
    what === "" ? `  ${bold(command)}` : `  ${bold(command.padEnd(width))}   ${dim(what)}`,
  );
  return `${mountSection(steps, cyan)}\nNext:\n\n${lines.join("\n")}\n`;
}

function channelFile({ files }: Goal): string {
  return files.find(({ path }) => path.startsWith("channels/chat."))?.path ?? "channels/";
}

function mountSection({ project, goal }: NextSteps, paint: (text: string) => string): string {
  const { framework, language } = goal;
  if (language !== undefined) {
    const inLanguage = language === "unknown" ? "" : ` (${LANGUAGE_TITLES[language]})`;
    const title = `In the app${inLanguage}, answer POST /channels/authorize (docs/protocol.md):`;
    return `\n${title}\n\n${indented(authorizeLines(language), paint)}`;
  }
  const lines = framework === undefined ? [] : mountLines(framework, project);
  if (framework === undefined || lines.length === 0) return "";
  const title = `In the file that starts the app (${FRAMEWORK_TITLES[framework]}), before its other routes:`;
  return `\n${title}\n\n${indented(lines, paint)}`;
}

function indented(lines: readonly string[], paint: (text: string) => string): string {
  return lines.map((line) => (line === "" ? "\n" : `  ${paint(line)}\n`)).join("");
}

function devCommand({ project, goal: { framework, language } }: NextSteps): string {
  if (language !== undefined)
    return project.other?.command === undefined ? 'npx chanctl dev --app "<command>"' : "npx chanctl dev";
  const script = devScript(project);
  // A new app only gets the script if the name was free.
  return framework === undefined && script !== "dev"
    ? "npx chanctl dev"
    : runCommand(project.manager, script);
}

import { relative } from "node:path";

import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { stepLines } from "../step-lines.ts";
import type { Step } from "../step-lines.ts";
import { FRAMEWORK_TITLES } from "./framework.ts";
import type { Framework } from "./framework.ts";
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
}

/** What the person does now: commands, and the lines that mount the SDK. */
export function nextSteps(steps: NextSteps, io: Io): string {
  const { project, goal, needsInstall } = steps;
  const folder = relative(io.cwd, project.folder);
  const commands: readonly Step[] = [
    ...(folder === "" ? [] : [[`cd ${folder}`, ""] as const]),
    ...(needsInstall ? [[`${project.manager} install`, ""] as const] : []),
    ...(goal.framework === undefined || isJson(channelFile(goal))
      ? []
      : [[`edit ${channelFile(goal)}`, whoMayComeIn(goal.framework)] as const]),
    [devCommand(steps), "the app over local HTTPS, its channels live"],
  ];
  return `${mountSection(steps, palette(io.color).cyan)}\nNext:\n\n${stepLines(commands, io)}`;
}

function whoMayComeIn(framework: Framework): string {
  return framework === "vite" ? "nobody may come in yet" : "findUser says who may come in; nobody may yet";
}

function channelFile({ files }: Goal): string {
  return files.find(({ path }) => path.startsWith("channels/chat."))?.path ?? "channels/";
}

/** The app answers for such a channel in whatever language it is: there is no SDK to mount. */
function isJson(path: string): boolean {
  return path.endsWith(".json");
}

function mountSection({ project, goal }: NextSteps, paint: (text: string) => string): string {
  const { framework } = goal;
  const language = goal.language ?? (isJson(channelFile(goal)) ? "unknown" : undefined);
  if (language !== undefined) {
    const inLanguage = language === "unknown" ? "" : ` (${LANGUAGE_TITLES[language]})`;
    const title = `In the app${inLanguage}, answer POST /channels/authorize (docs/protocol.md):`;
    return `\n${title}\n\n${indented(authorizeLines(language), paint)}`;
  }
  if (framework === "vite") return `\n${VITE_TITLE}\n\n${indented(VITE_LINES, paint)}`;
  const lines = framework === undefined ? [] : mountLines(framework, project);
  if (framework === undefined || lines.length === 0) return "";
  const title = `In the file that starts the app (${FRAMEWORK_TITLES[framework]}), before its other routes:`;
  return `\n${title}\n\n${indented(lines, paint)}`;
}

const VITE_TITLE =
  "vite serves files: nobody is there who could say who may come in. With no server of your own,\nwrite this in the channel's file in place of `auth` and `verify`:";
const VITE_LINES = ["public: true, // anyone may read and publish"];

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

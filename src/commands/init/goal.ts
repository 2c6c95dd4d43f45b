import { ChanctlError } from "../../shared/errors.ts";
import { readFirstChannelText } from "./channel-text.ts";
import type { DesiredFile } from "./desired-files.ts";
import { FRAMEWORK_TITLES } from "./framework.ts";
import type { Framework } from "./framework.ts";
import { integrateFiles } from "./integrate.ts";
import { keepTwins } from "./keep-twins.ts";
import { chanctlVersion } from "./packages.ts";
import type { Project } from "./project.ts";
import { LANGUAGE_TITLES } from "./other-language.ts";
import type { OtherLanguage } from "./other-language.ts";
import { otherLanguageFiles } from "./other-language-files.ts";
import { isScaffoldOf, scaffoldFiles } from "./scaffold.ts";
import { readTemplate } from "./template.ts";

/** Where `init` leads: to a new app, or to an app that has chanctl. */
export interface Goal {
  readonly title: string;
  /** What the existing app is made with; `undefined` for a new one. */
  readonly framework: Framework | undefined;
  /** What it is written in, where that is not Node's. */
  readonly language?: OtherLanguage;
  readonly files: readonly DesiredFile[];
  /** Packages that the written files import. */
  readonly needs: readonly string[];
}

interface GoalOptions {
  /** Makes a new app wherever it is; else only where there is none. */
  readonly template: string | undefined;
  /** Says which of several frameworks it is; `undefined` gives up. */
  readonly chooseFramework: (frameworks: readonly Framework[]) => Promise<Framework | undefined>;
}

/**
 * Decides what the folder needs; `undefined` if the person gave up.
 *
 * @throws {ChanctlError} `config_invalid` or `definition_invalid` where it has a config or a channel twice; `usage` for
 *   a template in the folder of an app that would no longer start.
 */
export async function chooseGoal(project: Project, options: GoalOptions): Promise<Goal | undefined> {
  const goal = await chooseWhole(project, options);
  return goal && { ...goal, files: keepTwins(goal.files, project) };
}

/** The goal as if no config and no channel were there. */
async function chooseWhole(project: Project, options: GoalOptions): Promise<Goal | undefined> {
  const version = await chanctlVersion();
  const name = options.template ?? "chat";
  const template = await readTemplate(name);
  const isScaffold = project.isEmpty || isScaffoldOf(template, project);
  if (options.template !== undefined && !isScaffold) assertModules(project, name);
  if (options.template !== undefined || isScaffold) {
    return {
      title: `A ${name} in ${project.folder}`,
      framework: undefined,
      files: scaffoldFiles(template, { project, version }),
      needs: ["chanctl", "tsx"],
    };
  }
  const { language } = project.other ?? {};
  if (language !== undefined) {
    return {
      title: `chanctl in ${project.folder} (${LANGUAGE_TITLES[language]})`,
      framework: undefined,
      language,
      files: otherLanguageFiles(project),
      needs: [],
    };
  }
  const framework = await options.chooseFramework(project.frameworks);
  if (framework === undefined) return undefined;
  return {
    title: `chanctl in ${project.folder} (${FRAMEWORK_TITLES[framework]})`,
    framework,
    files: integrateFiles({
      project,
      framework,
      version,
      channel: await readFirstChannelText(project.language),
    }),
    needs: ["chanctl"],
  };
}

/** A template makes the package one of ES modules: the `require` of the app that is there would end it. */
function assertModules({ packageJson, modules }: Project, template: string): void {
  if (packageJson === undefined || modules === "esm") return;
  const message = `the template \`${template}\` is a new app of ES modules, and this folder has an app of CommonJS modules, which would no longer start`;
  throw new ChanctlError("usage", message, {
    hint: [
      "chanctl init     adds chanctl to the app that is here",
      `chanctl init my-${template} --template ${template}     makes the new one in a folder of its own`,
    ].join("\n"),
  });
}

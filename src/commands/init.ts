import { resolve } from "node:path";

import type { Command } from "commander";

import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { Framework } from "./init/framework.ts";
import { chooseGoal } from "./init/goal.ts";
import type { Goal } from "./init/goal.ts";
import { nextSteps } from "./init/next-steps.ts";
import { installPackages, missingPackages } from "./init/packages.ts";
import { planLines } from "./init/plan-lines.ts";
import { assertReplacesNothing, planChanges } from "./init/plan.ts";
import { inspectProject } from "./init/project.ts";
import type { Project } from "./init/project.ts";
import { askFramework, frameworkUnclear } from "./init/questions.ts";
import { readExisting, writeFiles } from "./init/write-files.ts";
import type { Io } from "./io.ts";
import { askYesNo, exitCodeOfAnswer } from "./question.ts";
import type { Answer } from "./question.ts";

/** The flags of `init`, as commander read them. */
export interface InitFlags {
  readonly template?: string;
  readonly yes?: true;
  readonly force?: true;
  /** `false` for `--no-install`. */
  readonly install: boolean;
}

interface InitInput {
  /** The project's folder, from the working directory. */
  readonly dir: string;
  readonly flags: InitFlags;
}

const TEMPLATES = ["chat"];
const EXAMPLE = `Adds chanctl to a project, or puts a small chat that runs into an empty folder.

  $ chanctl init                in the project's folder
  $ chanctl init my-chat        in a new one
`;

/** Adds `chanctl init`. */
export function registerInit(program: Command, io: Io): void {
  program
    .command("init")
    .summary("add chanctl to a project, or make a new one")
    .addHelpText("before", EXAMPLE)
    .argument("[dir]", "the project's folder", ".")
    .option(
      "--template <name>",
      `make a new app from a template: ${TEMPLATES.join(", ")} (in an empty folder: chat)`,
    )
    .option("-y, --yes", "take the defaults, ask nothing")
    .option("--force", "replace files that differ")
    .option("--no-install", "write the files only, install no packages")
    .action((dir: string, flags: InitFlags) => runInit({ dir, flags }, io));
}

/**
 * Looks at a folder, shows what it would write there, asks on a terminal, writes it, installs what is missing.
 *
 * What somebody wrote is not replaced without `--force`. A second run changes nothing.
 *
 * @throws {ChanctlError} `would_overwrite`, `no_terminal`, `install_failed`, `config_invalid`, `definition_invalid`, `usage`.
 */
export async function runInit({ dir, flags }: InitInput, io: Io): Promise<void> {
  assertTemplate(flags.template);
  const project = await inspectProject(resolve(io.cwd, dir), io.env);
  const chooseFramework = frameworkChooser(flags, io);
  const goal = await chooseGoal(project, { template: flags.template, chooseFramework });
  const answer = goal === undefined ? "cancelled" : await writeGoal({ project, goal, dir, flags }, io);
  if (goal === undefined || answer !== "yes") {
    io.stderr("nothing was written\n");
    io.setExitCode(exitCodeOfAnswer(answer === "no" ? "no" : "cancelled"));
    return;
  }
  const missing = missingPackages(project.folder, goal.needs);
  if (missing.length > 0 && flags.install) {
    io.stderr(`\n$ ${project.manager} install     for ${missing.join(" and ")}\n`);
    await installPackages(project.folder, project.manager, io);
  }
  const needsInstall = missing.length > 0 && !flags.install;
  io.stdout(nextSteps({ project, goal, needsInstall }, io));
}

/** Writes the files, if the person says yes to it. */
async function writeGoal(
  { project, goal, dir, flags }: InitInput & { project: Project; goal: Goal },
  io: Io,
): Promise<Answer> {
  const { folder } = project;
  const paths = goal.files.map(({ path }) => path);
  const changes = planChanges(goal.files, await readExisting(folder, paths));
  if (flags.force !== true)
    assertReplacesNothing(changes, `chanctl init ${dir === "." ? "" : `${dir} `}--force`);
  io.stdout(`${goal.title}\n\n${planLines(changes, io)}`);
  if (changes.every(({ kind }) => kind === "keep")) return "yes";
  const isAsked = io.isTerminal && flags.yes !== true;
  const answer = isAsked ? await askYesNo({ message: "Write this?" }) : "yes";
  if (answer === "yes") await writeFiles(folder, changes);
  return answer;
}

function frameworkChooser(flags: InitFlags, io: Io) {
  return async (frameworks: readonly Framework[]): Promise<Framework | undefined> => {
    if (frameworks.length < 2 || flags.yes === true) return frameworks[0];
    if (!io.isTerminal) throw frameworkUnclear(frameworks);
    return askFramework(frameworks);
  };
}

function assertTemplate(name: string | undefined): void {
  if (name === undefined || TEMPLATES.includes(name)) return;
  const near = didYouMean(name, TEMPLATES);
  throw new ChanctlError("usage", `\`--template\` must be ${TEMPLATES.join(" or ")}, got \`${name}\``, {
    hint: near === undefined ? "chanctl init --template chat" : `did you mean \`${near}\`?`,
  });
}

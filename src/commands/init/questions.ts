import { ChanctlError } from "../../shared/errors.ts";
import { FRAMEWORK_TITLES } from "./framework.ts";
import type { Framework } from "./framework.ts";

/**
 * Asks which of several frameworks serves the app.
 *
 * @returns `undefined` if the person gives up.
 */
export async function askFramework(frameworks: readonly Framework[]): Promise<Framework | undefined> {
  const { isCancel, select } = await import("@clack/prompts");
  const answer = await select({
    message: "Which of them answers the app's requests?",
    options: frameworks.map((value) => ({ value, label: FRAMEWORK_TITLES[value] })),
  });
  return isCancel(answer) ? undefined : answer;
}

/** What to throw where a person would have to be asked and there is none. */
export function frameworkUnclear(frameworks: readonly Framework[]): ChanctlError {
  const titles = frameworks.map((framework) => FRAMEWORK_TITLES[framework]);
  return new ChanctlError(
    "no_terminal",
    `package.json names ${titles.join(" and ")}, and there is no terminal to ask which one answers the app's requests`,
    { hint: `chanctl init --yes     takes ${titles[0]}` },
  );
}

import type { Command } from "commander";

import { didYouMean } from "../shared/did-you-mean.ts";
import { ChanctlError } from "../shared/errors.ts";
import { oneOf } from "../shared/one-of.ts";
import { completionScript, isShell, SHELLS } from "./completion/scripts.ts";
import type { Io } from "./io.ts";

const EXAMPLE = `Prints a script that completes commands, options, and the channels and params \
of the project.

  $ chanctl completion bash

  bash   eval "$(npx chanctl completion bash)"       in ~/.bashrc
  zsh    eval "$(npx chanctl completion zsh)"        in ~/.zshrc, after compinit
  fish   npx chanctl completion fish > ~/.config/fish/completions/chanctl.fish

It completes the word \`chanctl\`, with the one that is installed in the project. \
Without a global one, this lets you type it:

  $ alias chanctl='npx chanctl'
`;

/** Adds `chanctl completion`. */
export function registerCompletion(program: Command, io: Io): void {
  program
    .command("completion")
    .summary("print the completion script of a shell")
    .addHelpText("before", EXAMPLE)
    .argument("<shell>", oneOf(SHELLS))
    .action((shell: string) => {
      if (!isShell(shell)) throw unknownShell(shell);
      io.stdout(completionScript(shell));
    });
}

function unknownShell(name: string): ChanctlError {
  const near = didYouMean(name, SHELLS);
  return new ChanctlError("usage", `the shell must be ${oneOf(SHELLS)}, got \`${name}\``, {
    hint: near === undefined ? "chanctl completion bash" : `did you mean \`${near}\`?`,
  });
}

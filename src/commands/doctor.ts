import type { Command } from "commander";

import type { Io } from "./io.ts";

const EXAMPLE = `Looks at the machine, the project, its store, certificates and running server, \
and says what to do. It changes nothing. Each row is ok, warn or fail; exits 1 \
if one fails.

  $ chanctl doctor
  $ chanctl doctor --json
`;

/** Adds `chanctl doctor`. */
export function registerDoctor(program: Command, io: Io): void {
  program
    .command("doctor")
    .summary("what is wrong here, and what to do about it")
    .addHelpText("before", EXAMPLE)
    .option("--json", "print one JSON a line: group, check, status, message, fix")
    .action(async ({ json }: { json?: true }) => {
      const { runDoctor } = await import("./doctor/run-doctor.ts");
      await runDoctor({ isJson: json === true }, io);
    });
}

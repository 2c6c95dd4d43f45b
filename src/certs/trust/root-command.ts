import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";

type Commands = readonly (readonly string[])[];

/**
 * Commands as they run as root on this machine: what is shown to a person and what runs are made of this.
 *
 * Through `sudo` one by one; where there is none, through one `su`, which asks for root's password once. A `su`
 * keeps the user's PATH, in which /usr/sbin may be missing, so that programs are named by their whole paths.
 */
function toRootCommands(commands: Commands, machine: Machine): Commands {
  if (machine.isRoot) return commands;
  if (findProgram("sudo", machine) !== undefined) return commands.map((command) => ["sudo", ...command]);
  const whole = commands.map(([program = "", ...args]) => [
    findProgram(program, machine) ?? program,
    ...args,
  ]);
  return [["su", "-c", toLine(whole)]];
}

/** The line by which a person runs commands as root. */
export function toRootLine(commands: Commands, machine: Machine): string {
  return toLine(toRootCommands(commands, machine));
}

/**
 * Runs commands as root, one after the other; a person has allowed them.
 *
 * @throws {ChanctlError} `trust_failed` with what the first that failed said.
 */
export async function runAsRoot(
  commands: Commands,
  { step, machine }: { readonly step: string; readonly machine: Machine },
): Promise<void> {
  for (const command of toRootCommands(commands, machine)) {
    const line = toCommandLine(command);
    assertDone(await machine.run(command, { mayAskPassword: true }), { step, command: line, hint: line });
  }
}

function toLine(commands: Commands): string {
  return commands.map(toCommandLine).join(" && ");
}

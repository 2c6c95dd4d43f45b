import { ChanctlError } from "../../shared/errors.ts";
import type { Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { assertDone, toCommandLine } from "./trust-failed.ts";

type Commands = readonly (readonly string[])[];

/**
 * Commands as they run as root on this machine: what is shown to a person and what runs are made of this.
 *
 * Through `sudo` one by one; where there is none, through one `su`, which asks for root's password once. Programs
 * are named by their whole paths: a `su` keeps the user's PATH, in which /usr/sbin may be missing.
 */
function toRootCommands(commands: Commands, machine: Machine): Commands {
  const whole = commands.map(([program = "", ...args]) => [
    findProgram(program, machine) ?? program,
    ...args,
  ]);
  if (machine.isRoot) return whole;
  if (findProgram("sudo", machine) !== undefined) return whole.map((command) => ["sudo", ...command]);
  return [["su", "-c", toLine(whole)]];
}

/** The line by which a person runs commands as root. */
export function toRootLine(commands: Commands, machine: Machine): string {
  return toLine(toRootCommands(commands, machine));
}

interface RootStep {
  /** What is tried: "add the CA to the system's store". */
  readonly step: string;
  readonly machine: Machine;
  /** What brings a program that is missing, by its name. */
  readonly fixes?: Readonly<Record<string, string>>;
}

/**
 * Runs commands as root, one after the other; a person has allowed them.
 *
 * @returns what ran, in one line
 * @throws {ChanctlError} `trust_failed` with what the first that failed said; before any runs where one is not there.
 */
export async function runAsRoot(
  commands: Commands,
  { step, machine, fixes = {} }: RootStep,
): Promise<string> {
  const missing = commands.find(([program = ""]) => findProgram(program, machine) === undefined)?.[0];
  if (missing !== undefined) {
    const where = `\`${missing}\` is nowhere on the PATH or in /usr/sbin, and nothing was changed`;
    throw new ChanctlError("trust_failed", `could not ${step}: ${where}`, {
      hint: fixes[missing] ?? 'export PATH="$PATH:/usr/sbin:/usr/bin:/sbin:/bin"    then the same again',
    });
  }
  const hint = toRootLine(commands, machine); // all of it: what has worked already does no harm twice
  for (const command of toRootCommands(commands, machine)) {
    const result = await machine.run(command, { mayAskPassword: !machine.isRoot });
    assertDone(result, { step, command: toCommandLine(command), hint });
  }
  return hint;
}

function toLine(commands: Commands): string {
  return commands.map(toCommandLine).join(" && ");
}

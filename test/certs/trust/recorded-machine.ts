import { dirname } from "node:path/posix";

import type { CommandResult, Machine } from "#src/certs/trust/machine.ts";

/** What a machine that is not here is made of. */
export interface RecordedMachineOptions {
  readonly platform?: NodeJS.Platform;
  readonly env?: Machine["env"];
  readonly homedir?: string;
  readonly isRoot?: boolean;
  /** Files by path, with their text; a path that ends in `/` is a folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** What a program answers. @default it succeeds and says nothing */
  readonly answer?: (
    command: readonly string[],
    machine: RecordedMachine,
  ) => Partial<CommandResult> | undefined;
}

/** A machine of another platform: its files are given, and its programs are recorded instead of run. */
export interface RecordedMachine extends Machine {
  /** Each command that would have run. `answer` is asked without the `sudo` before it. */
  readonly commands: string[];
  /** Those of them that may ask on the terminal, where their complaints are then seen as well. */
  readonly asking: string[];
  /** Those for which the system asks in a window of its own. */
  readonly inWindow: string[];
  /** Changes a file, as a program does. */
  write(path: string, text: string): void;
  remove(path: string): void;
}

export function recordedMachine(options: RecordedMachineOptions): RecordedMachine {
  const { platform = "linux", env = {}, homedir = "/home/ada", isRoot = false, answer } = options;
  const files = new Map(Object.entries(options.files ?? {}));
  const children = (folder: string) =>
    [...files.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1).split("/")[0] ?? "")
      .filter((name) => name !== "");
  const commands: string[] = [];
  const asking: string[] = [];
  const inWindow: string[] = [];
  const machine: RecordedMachine = {
    platform,
    env,
    homedir,
    isRoot,
    commands,
    asking,
    inWindow,
    files: {
      exists: (path) => files.has(path) || files.has(`${path}/`) || children(path).length > 0,
      list: (folder) => [...new Set(children(folder))].sort(),
      read: (path) => (files.has(path) ? Buffer.from(files.get(path) ?? "") : undefined),
      readLink: () => undefined,
      canWrite: (path) => isRoot || dirname(path).startsWith(homedir),
    },
    write: (path, text) => files.set(path, text),
    remove: (path) => files.delete(path),
    async run(command, { mayAskPassword = false, mayOpenWindow = false } = {}) {
      commands.push(command.join(" "));
      if (mayAskPassword) asking.push(command.join(" "));
      if (mayOpenWindow) inWindow.push(command.join(" "));
      const [program, ...rest] = command;
      return { code: 0, stdout: "", stderr: "", ...answer?.(program === "sudo" ? rest : command, machine) };
    },
  };
  return machine;
}

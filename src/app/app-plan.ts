import { resolve } from "node:path";
import { findFramework } from "./framework.ts";
import type { Framework } from "./framework.ts";
import { findNpmExec } from "./npm-arguments.ts";
import { findScriptCall, takeFolder } from "./script-call.ts";
import { lastCommand } from "./simple-command.ts";
import type { SimpleCommand } from "./simple-command.ts";

/** How an app is started on a port, and what its command line says about it. */
export interface AppPlan {
  /** As the user wrote it. */
  readonly command: string;
  /** The framework, where it is one that is known: `vite`. */
  readonly framework?: string;
  /** The port that the command line itself names. */
  readonly port?: number;
  /** Two of them cannot run at once: the framework locks its folder. */
  readonly isSingle: boolean;
  /** The command line that makes it listen on the port; `PORT` is given besides. */
  readonly commandFor: (port: number) => string;
}

interface PlanContext {
  /** Where the app is started, absolute. */
  readonly folder: string;
  /** The scripts of the package.json in a folder. */
  readonly scriptsIn: (folder: string) => Readonly<Record<string, unknown>>;
}

/** A script may run a script; two that run each other end here. */
const MAX_DEPTH = 5;
const HOST = "127.0.0.1";

/**
 * Plans how to start an app: `npm run dev`, whose script is `vite`, listens on a port only if it is told by
 * `npm run dev -- --port 3000 --strictPort --host 127.0.0.1`; `nuxt dev` takes it from `PORT`. What the command line
 * says itself stays.
 */
export function planApp(command: string, context: PlanContext): AppPlan {
  const plan: AppPlan = { command, isSingle: false, commandFor: () => command };
  const target = findTarget(command, { ...context, depth: 0 });
  if (target === undefined) return plan;
  const found = findFramework(target.words);
  if (found === undefined)
    return { ...plan, ...toPort(target.variables["PORT"] ?? valueOf(target.words, ["--port"])) };
  const { framework, args } = found;
  const { readsPort = false, isSingle = false } = framework;
  const known = { ...plan, framework: framework.name, isSingle };
  const said = saidPort(framework, args) ?? (readsPort ? target.variables["PORT"] : undefined);
  const withArgs = (words: readonly string[]): string =>
    words.length === 0 ? command : [command, ...target.separators, ...words].join(" ");
  if (readsPort) return { ...known, ...toPort(said), commandFor: () => withArgs(hostArgs(framework, args)) };
  if (said !== undefined) return { ...known, ...toPort(said) };
  return { ...known, commandFor: (port) => withArgs(portArgs(framework, { args, port })) };
}

interface Target extends Pick<SimpleCommand, "variables" | "words"> {
  /** What must stand before arguments so that they come through: `--` for each npm. */
  readonly separators: readonly string[];
}

/** The command that is run in the end, through the scripts that run it. */
function findTarget(
  line: string,
  { folder: from, scriptsIn, depth }: PlanContext & { depth: number },
): Target | undefined {
  const command = lastCommand(line);
  if (command === undefined || depth === MAX_DEPTH) return undefined;
  const { words, folders } = takeFolder(command.words);
  const exec = findNpmExec(words);
  if (exec !== undefined) return { ...command, ...exec };
  const folder = resolve(from, ...command.folders, ...folders);
  const call = findScriptCall(words, scriptsIn(folder));
  if (call === undefined) return { ...command, words, separators: [] };
  const inner = findTarget(call.line, { folder, scriptsIn, depth: depth + 1 });
  return (
    inner && {
      variables: { ...command.variables, ...inner.variables },
      words: [...inner.words, ...call.args],
      separators: [...call.separators, ...inner.separators],
    }
  );
}

/** The port in the arguments, as text: `3000`, or `$PORT`. */
function saidPort({ form }: Framework, args: readonly string[]): string | undefined {
  if ("port" in form) return valueOf(args, form.short === undefined ? [form.port] : [form.port, form.short]);
  const address =
    form.address === ""
      ? args.find((arg) => /^(?:\S*:)?(?:\d+|\$\S+)$/.test(arg))
      : valueOf(args, [form.address]);
  return address?.replace(/^.*:(?=[\d$%])/, "");
}

/** The value of a flag: `--port 3000`, `--port=3000`, `-p3000`. The last one counts. */
function valueOf(args: readonly string[], flags: readonly string[]): string | undefined {
  let value: string | undefined;
  for (const [index, arg] of args.entries()) {
    for (const flag of flags) {
      if (arg === flag) value = args[index + 1];
      else if (arg.startsWith(`${flag}=`)) value = arg.slice(flag.length + 1);
      else if (!flag.startsWith("--") && /^-\w\d+$/.test(arg) && arg.startsWith(flag))
        value = arg.slice(flag.length);
    }
  }
  return value;
}

function portArgs(framework: Framework, { args, port }: { args: readonly string[]; port: number }): string[] {
  const { form } = framework;
  if ("address" in form) return [form.address, `${HOST}:${port}`].filter((word) => word !== "");
  const strict = form.strict === undefined || hasFlag(args, form.strict) ? [] : [form.strict];
  return [form.port, String(port), ...strict, ...hostArgs(framework, args)];
}

function hostArgs({ form }: Framework, args: readonly string[]): string[] {
  if ("address" in form || form.host === undefined) return [];
  const isSaid = [form.host, form.shortHost].some((flag) => flag !== undefined && hasFlag(args, flag));
  return isSaid ? [] : [form.host, HOST];
}

function hasFlag(args: readonly string[], flag: string): boolean {
  return args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
}

/** `$PORT` is the port that we give. */
function toPort(text: string | undefined): { readonly port?: number } {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? { port } : {};
}

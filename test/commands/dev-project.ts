import { RunningCli } from "./cli.ts";
import { makeProject } from "./temp-project.ts";
import type { TempProject } from "./temp-project.ts";

/** What `--json` prints first. */
interface ReadyEvent {
  readonly event: "ready";
  readonly url: string;
  readonly internalUrl: string;
  readonly caPath?: string;
  readonly pid: number;
  readonly app?: { readonly pid: number; readonly port: number };
  readonly network?: {
    readonly urls: readonly string[];
    readonly phoneUrl?: string;
    readonly caFingerprint?: string;
  };
}

/** A public channel with rooms, and one that only the operator reads. */
export const CHANNELS: Readonly<Record<string, string>> = {
  "channels/chat.json": JSON.stringify({
    transport: "ws",
    paramsSchema: { type: "object", properties: { room: { type: "string" } }, required: ["room"] },
    messages: { message: { type: "object", properties: { text: {} } }, note: {} },
    public: true,
  }),
  "channels/jobs.json": JSON.stringify({ auth: { headerName: "authorization" } }),
};

/** A server of a project; it ends with the scope. */
export interface StartedServer extends AsyncDisposable {
  readonly cli: RunningCli;
  readonly ready: ReadyEvent;
}

interface StartOptions {
  /** @default ["dev", "--no-tls"] */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The words of a program that runs it. @default none */
  readonly words?: readonly string[];
}

/** Starts `chanctl dev --json` (or another command) and waits until it is ready. */
export async function startDev(
  { root }: TempProject,
  { command = ["dev", "--no-tls"], env = {}, words = [] }: StartOptions = {},
): Promise<StartedServer> {
  const [name = "dev", ...rest] = command;
  const cli = new RunningCli([name, "--port", "0", "--json", ...rest], {
    cwd: root,
    env: { CHANCTL_HOME: `${root}/home`, ...env },
    words,
  });
  await cli.until(({ lines }) => lines.length > 0);
  const ready = JSON.parse(cli.lines[0] ?? "") as ReadyEvent;
  return { cli, ready, [Symbol.asyncDispose]: () => cli[Symbol.asyncDispose]() };
}

/** A project whose dev server runs. */
export interface DevProject extends StartedServer {
  readonly project: TempProject;
}

export async function makeDevProject(
  files: Readonly<Record<string, string>> = CHANNELS,
): Promise<DevProject> {
  const project = await makeProject(files);
  const server = await startDev(project);
  const dispose = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  };
  return { ...server, project, [Symbol.asyncDispose]: dispose };
}

import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunningCli } from "../commands/cli.ts";
import { bearer } from "../support/guarded-server.ts";
import { jsonBody } from "../support/server.ts";

/** An example of `examples/`, and what it needs to run. */
export interface Example {
  /** Its folder in `examples/`. */
  readonly name: string;
  readonly programs: readonly string[];
  /** Makes its programs ready to run, in a folder that holds a copy of it. */
  readonly prepare: (folder: string) => Promise<ExamplePrograms>;
}

/** The words of each command. */
export interface ExamplePrograms {
  readonly app: readonly string[];
  readonly client: readonly string[];
}

/** A copy of an example in a folder of its own. */
export interface ExampleProject extends AsyncDisposable {
  readonly folder: string;
  readonly programs: ExamplePrograms;
}

/** Copies an example, as somebody does who begins with it. */
export async function copyExample({ name, prepare }: Example): Promise<ExampleProject> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), `chanctl-${name}-`)));
  await cp(fileURLToPath(new URL(`../../examples/${name}`, import.meta.url)), folder, { recursive: true });
  return {
    folder,
    programs: await prepare(folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

type Line = Readonly<Record<string, unknown>>;

/** chanctl with an example as its app. */
export interface ServedExample extends AsyncDisposable {
  readonly url: string;
  readonly internalUrl: string;
  readonly appPort: number;
  /** The log entries of an event so far. */
  entries(event: string): Line[];
  /** Waits until there are so many of an event. */
  waitFor(event: string, count?: number): Promise<Line[]>;
  /** SIGKILL to the process group of the app. */
  killApp(): void;
  /** Ends chanctl, and the app with it where the signal leaves it the time. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `chanctl <command>` in the folder of an example, with the app command of its config, and waits for the app. */
export async function serveExample(
  { folder }: ExampleProject,
  {
    command = ["serve", "--host", "127.0.0.1"],
    port = "0",
  }: { command?: readonly string[]; port?: string } = {},
): Promise<ServedExample> {
  const [name = "serve", ...rest] = command;
  const env = { CHANCTL_HOME: join(folder, "home"), CHANCTL_AUTHORIZE_RETRY_MS: "60s", GOPROXY: "off" };
  const cli = new RunningCli([name, "--port", port, "--json", ...rest], { cwd: folder, env });
  const entries = (event: string): Line[] =>
    cli.lines.map((line) => JSON.parse(line) as Line).filter((line) => line["event"] === event);
  const waitFor = async (event: string, count = 1): Promise<Line[]> => {
    await cli.until(() => entries(event).length >= count);
    return entries(event);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => void (await cli.end(signal));
  try {
    const [ready] = (await waitFor("ready")) as unknown as [ReadyLine];
    await waitFor("app-ready");
    const { url, internalUrl, app } = ready;
    return {
      url,
      internalUrl,
      appPort: app.port,
      entries,
      waitFor,
      killApp: () => void process.kill(-Number(entries("app-ready").at(-1)?.["pid"]), "SIGKILL"),
      end,
      [Symbol.asyncDispose]: () => cli[Symbol.asyncDispose](),
    };
  } catch (error) {
    await cli[Symbol.asyncDispose]();
    throw error;
  }
}

interface ReadyLine {
  readonly url: string;
  readonly internalUrl: string;
  readonly app: { readonly port: number };
}

/** A program of an example that runs; its output is gathered. Disposing of it kills it. */
export interface Program extends AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  /** The whole lines of standard output so far. */
  lines(): string[];
  /** All of standard error so far. */
  errors(): string;
}

/** Runs a program of an example in its folder. */
export function runProgram(
  [file = "", ...args]: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Program {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env } });
  const closed = once(child, "close");
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return {
    child,
    lines: () => output.split("\n").slice(0, -1),
    errors: () => errors,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** An example that runs, for the tests of its parts. */
export interface RunningExample {
  readonly project: ExampleProject;
  readonly served: ServedExample;
  /** SIGKILL to chanctl, and a new one on the same port. */
  readonly killAndStart: () => Promise<void>;
}

/** Signs in as a browser does. Returns the session: a cookie's value, and a bearer token. */
export async function signIn(
  url: string,
  { name, room = "lobby" }: { name: string; room?: string },
): Promise<string> {
  const body = new URLSearchParams({ name, room });
  const response = await fetch(`${url}/sign-in`, { method: "POST", body, redirect: "manual" });
  const session = /^session=([^;]+)/.exec(response.headers.get("set-cookie") ?? "")?.[1];
  if (session === undefined) throw new Error(`sign-in got ${response.status}: ${await response.text()}`);
  return session;
}

/** Publishes a text as a client, by POST. `room` is the URL of the room. */
export async function publish(
  room: string,
  { session, text }: { session: string; text: string },
): Promise<{ status: number; body: unknown }> {
  const message = { type: "message", data: { text } };
  const response = await fetch(room.replace("?", "/messages?"), jsonBody(message, bearer(session)));
  return { status: response.status, body: await response.json() };
}

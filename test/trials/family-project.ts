import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect } from "vitest";

import { isAlive } from "#src/platform/is-alive.ts";
import { listProcesses } from "#src/platform/process-stat.ts";

import { eventually } from "../app/support.ts";
import { CHANNELS } from "../commands/dev-project.ts";
import { makeProject } from "../commands/temp-project.ts";
import type { TempProject } from "../commands/temp-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const APP = fileURLToPath(new URL("./fixtures/family.mjs", import.meta.url));
const MARK = "CHANCTL_TEST_FAMILY";
const run = promisify(execFile);

/** A chanctl in a terminal of its own, whose app is npm, which runs node, which runs node. */
export class FamilyProject implements AsyncDisposable {
  /** The project itself. */
  readonly folder: TempProject;
  readonly #mark = randomUUID();

  private constructor(project: TempProject) {
    this.folder = project;
  }

  static async make({ isStubborn }: { readonly isStubborn: boolean }): Promise<FamilyProject> {
    const app = `node ${JSON.stringify(APP)} ${isStubborn ? "stubborn" : "polite"}`;
    const project = await makeProject({
      ...CHANNELS,
      "package.json": JSON.stringify({ name: "shop", type: "module", scripts: { start: app } }),
      "chanctl.config.json": JSON.stringify({ app: { command: "npm run start" } }),
    });
    const bin = `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} ${JSON.stringify(CLI)} "$@"\n`;
    await project.write({ "node_modules/.bin/chanctl": bin });
    chmodSync(join(project.root, "node_modules/.bin/chanctl"), 0o755);
    return new FamilyProject(project);
  }

  get root(): string {
    return this.folder.root;
  }

  /** Runs a command line in a new terminal, and waits until its app answers. */
  async start(command: string): Promise<Family> {
    const env = [
      `${MARK}=${this.#mark}`,
      `CHANCTL_HOME=${this.root}/home`,
      "npm_config_update_notifier=false",
    ];
    await this.#tmux(
      "new-session",
      "-d",
      ...["-x 100", "-y 30", `-c ${this.root}`].flatMap((option) => option.split(" ")),
      ...env.flatMap((entry) => ["-e", entry]),
      `exec ${command}`,
    );
    await eventually(() => expect(existsSync(join(this.root, ".chanctl/run.json"))).toBe(true));
    const { url, pid } = this.#state("run.json") as { url: string; pid: number };
    await eventually(async () => expect(await (await fetch(url)).text()).toBe("the app")).catch(
      async (cause: unknown) => {
        throw new Error(await this.#screen(), { cause });
      },
    );
    const [app] = this.#state("app.pid") as { pid: number }[];
    const pids = this.#processes(app?.pid);
    return { pid, pids, terminal: this.#terminalOf(pids), listeners: listenersOf(pids) };
  }

  /** Sends keys to the terminal, as a person types them. */
  async type(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Closes the terminal, as its window does. */
  async hangUp(): Promise<void> {
    await this.#tmux("kill-session");
  }

  /** Waits until no process, no listener and no word of a family is left; `hasWord`: its run file may stay. */
  async expectGone({ pids, listeners }: Family, { hasWord }: { readonly hasWord: boolean }): Promise<void> {
    await eventually(() => expect(pids.filter(isAlive).map(describeProcess)).toEqual([]));
    await eventually(() => expect(this.#processes().map(describeProcess)).toEqual([]));
    // A killed process counts as dead while threads of it are still on their way out, with its sockets.
    await eventually(() => {
      const left = readListeners();
      expect(listeners.filter((inode) => left.has(inode))).toEqual([]);
    });
    this.#expectNoWord({ hasWord });
  }

  #expectNoWord({ hasWord }: { readonly hasWord: boolean }): void {
    if (hasWord) return;
    const names = readdirSync(join(this.root, ".chanctl"));
    expect(names.filter((name) => name === "run.json" || name === "app.pid")).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
    for (const pid of this.#processes()) process.kill(pid, "SIGKILL");
    await this.folder[Symbol.asyncDispose]();
  }

  /** Those that have our mark in their environment, and the guard of the app, which has none. */
  #processes(app?: number): number[] {
    return listProcesses().filter((pid) => {
      const guarded = `chanctl-guard\0${app}\0`;
      return readProc(pid, "environ").includes(this.#mark) || readProc(pid, "cmdline").endsWith(guarded);
    });
  }

  #terminalOf(pids: readonly number[]): number {
    return Math.min(...pids); // what the terminal runs: npm, or chanctl itself
  }

  #state(name: string): unknown {
    return JSON.parse(readFileSync(join(this.root, ".chanctl", name), "utf8"));
  }

  async #screen(): Promise<string> {
    return (await this.#tmux("capture-pane", "-p")).stdout;
  }

  #tmux(...args: readonly string[]): Promise<{ stdout: string }> {
    return run("tmux", ["-S", join(this.root, "tmux"), "-f", "/dev/null", ...args]);
  }
}

/** All processes and listeners of a chanctl that runs. */
export interface Family {
  /** Of chanctl itself. */
  readonly pid: number;
  /** Of what was started in the terminal: chanctl, or the npm that runs it. */
  readonly terminal: number;
  readonly pids: readonly number[];
  /** The inodes of the TCP sockets on which they listen. Not their ports: those are soon given to somebody else. */
  readonly listeners: readonly string[];
}

/** The inodes of all TCP sockets that listen on this machine (proc_pid_net(5): state 0A, and the tenth field). */
function readListeners(): Set<string> {
  const rows = ["tcp", "tcp6"].flatMap((table) => readFileSync(`/proc/net/${table}`, "latin1").split("\n"));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return new Set(fields.filter((row) => row[3] === "0A").map((row) => row[9] ?? ""));
}

/** Those of them that some processes hold. */
function listenersOf(pids: readonly number[]): string[] {
  const held = new Set(pids.flatMap(readLinks));
  return [...readListeners()].filter((inode) => held.has(`socket:[${inode}]`));
}

/** What the file descriptors of a process lead to. */
function readLinks(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
  } catch {
    return []; // it has ended
  }
}

function readProc(pid: number, file: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return ""; // it has ended, or is somebody else's
  }
}

function describeProcess(pid: number): string {
  return `${pid} ${readProc(pid, "cmdline").replaceAll("\0", " ")}`;
}

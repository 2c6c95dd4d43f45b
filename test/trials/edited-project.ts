import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";

import { expect } from "vitest";

import { runCli } from "../commands/cli.ts";
import type { RunningCli } from "../commands/cli.ts";
import { startDev } from "../commands/dev-project.ts";
import { makeProject } from "../commands/temp-project.ts";
import { PATIENT } from "../support/patient.ts";
import { jsonBody } from "../support/server.ts";
import { Audience } from "./channel-audience.ts";
import type { ListedChannel } from "./channel-audience.ts";
import { runGit } from "./channel-edits.ts";
import { definitionText, NAMES, ProjectFiles, SHARED, sharedText } from "./channel-files.ts";

/** A line of `chanctl dev --json`. */
export interface LogLine {
  readonly event: string;
  readonly level?: string;
  readonly time: number;
  readonly channel?: string;
  readonly change?: string;
  readonly message?: string;
}

/** A definition that is saved after each edit: once its number is live, the server has looked at the edit too. */
const BARRIER = "barrier";
const STEADY = {
  transport: "ws",
  hasRoom: false,
  isPublic: true,
  max: 10_000,
  importsShared: false,
} as const;

/** A project in git whose channels are edited while a real `chanctl dev` serves them. */
export class EditedProject implements AsyncDisposable {
  readonly files: ProjectFiles;
  readonly server: { readonly url: string; readonly internalUrl: string; readonly token: string };
  readonly audience: Audience;
  /** How long each barrier took from its save to the line that says it is live, in ms. */
  readonly latencies: number[] = [];
  readonly #cli: RunningCli;
  readonly #remove: () => PromiseLike<void>;
  #barriers = 0;
  #parsed: LogLine[] = [];

  constructor(
    parts: Pick<EditedProject, "files" | "server"> & { cli: RunningCli; remove: () => PromiseLike<void> },
  ) {
    this.files = parts.files;
    this.server = parts.server;
    this.audience = new Audience(parts.server.url);
    this.#cli = parts.cli;
    this.#remove = parts.remove;
  }

  /** All that the server has said. */
  get log(): readonly LogLine[] {
    const { lines } = this.#cli;
    this.#parsed.push(...lines.slice(this.#parsed.length).map((line) => JSON.parse(line) as LogLine));
    return this.#parsed;
  }

  /** The channels as the server has them, but for the barrier. */
  async list(): Promise<ListedChannel[]> {
    const { internalUrl, token } = this.server;
    const answer = await fetch(`${internalUrl}/_chanctl/channels`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { channels } = (await answer.json()) as { channels: ListedChannel[] };
    return channels.filter(({ name }) => name !== BARRIER);
  }

  /** Waits until the server has what a fresh load of the folder finds, and has nothing more to look at. */
  async settle(): Promise<void> {
    const fresh = comparable(await this.#loadAfresh());
    await expect.poll(async () => comparable(await this.list()), PATIENT).toEqual(fresh);
    this.#barriers += 1;
    const max = this.#barriers;
    const seen = this.log.length;
    const savedAt = Date.now();
    this.files.write(`channels/${BARRIER}.ts`, definitionText(`channels/${BARRIER}.ts`, { ...STEADY, max }));
    const isLive = ({ event, channel }: LogLine): boolean => event === "reload" && channel === BARRIER;
    await expect.poll(() => this.log.slice(seen).some(isLive), PATIENT).toBe(true);
    const line = this.log.slice(seen).findLast(isLive);
    if (line !== undefined) this.latencies.push(line.time - savedAt);
    expect(comparable(await this.list())).toEqual(fresh);
  }

  /** Publishes to each channel that anybody may read, and waits until everyone who is connected has it. */
  async expectDelivery(channels: readonly ListedChannel[]): Promise<void> {
    const { internalUrl, token } = this.server;
    await Promise.all(
      channels.map(async ({ name }) => {
        const listeners = this.audience.of(name);
        if (listeners.length === 0) return;
        const url = `${internalUrl}/channels/${name}/messages`;
        const body = { type: "mark", data: this.#barriers };
        const answer = await fetch(url, jsonBody(body, { authorization: `Bearer ${token}` }));
        expect(answer.status).toBeLessThan(300);
        const { ids } = (await answer.json()) as { ids: string[] };
        await Promise.all(
          listeners.map(({ subscriber: { log } }) =>
            expect.poll(() => log.received.some(({ id }) => id === ids[0]), PATIENT).toBe(true),
          ),
        );
      }),
    );
  }

  /** What loads have left in the folder of bundles. */
  leftBundles(): string[] {
    return readdirSync(this.files.path(".chanctl/definitions"));
  }

  /** Ends the server as Ctrl-C does. */
  async end(): Promise<{ code: number | null; bugs: readonly string[] }> {
    this.audience.close();
    const { code, stderr } = await this.#cli.end("SIGINT");
    return { code, bugs: stderr.split("\n").filter((line) => /^\s+at |Error:/.test(line)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.audience.close();
    await this.#cli[Symbol.asyncDispose]();
    await this.#remove();
  }

  async #loadAfresh(): Promise<ListedChannel[]> {
    const { code, stdout } = await runCli(["channel", "list", "--json"], { cwd: this.files.root });
    expect([0, 3]).toContain(code);
    const lines = stdout.split("\n").filter(Boolean);
    return lines
      .map((line) => JSON.parse(line) as ListedChannel & { error?: { message: string } })
      .map(({ error, ...channel }) => ({
        ...channel,
        ...(error === undefined ? {} : { error: error.message }),
      }))
      .filter(({ name }) => name !== BARRIER);
  }
}

/** Of a broken channel only what is wrong: the last good definition stays live, and a fresh load knows none. */
function comparable(channels: readonly ListedChannel[]): unknown[] {
  return channels.map(({ name, file, transport, public: isPublic, paramsSchema, lifecycle, error }) =>
    error === undefined
      ? { name, file, transport, isPublic, paramsSchema, lifecycle }
      : { name, file, error },
  );
}

/** Makes the project, with `chat`, which nobody edits, and its branches; starts `chanctl dev`; connects the audience. */
export async function startEditedProject(): Promise<EditedProject> {
  const paths = NAMES.map((name, index) => `channels/${name}.${index % 2 === 0 ? "ts" : "json"}`);
  const { root, [Symbol.asyncDispose]: remove } = await makeProject({
    ".gitignore": `.chanctl/\nhome/\nnode_modules/\nchannels/${BARRIER}.ts\n`,
    "channels/chat.ts": definitionText("channels/chat.ts", { ...STEADY, max: 10_000_000 }), // none is pruned
    [SHARED]: sharedText(1_000),
    ...Object.fromEntries(
      paths.map((path) => [path, definitionText(path, { ...STEADY, importsShared: true })]),
    ),
  });
  await runGit(root, "init", "-q");
  await runGit(root, "add", "-A");
  await runGit(root, "commit", "-q", "-m", "state");
  for (const branch of ["b0", "b1", "b2", "b3"]) await runGit(root, "branch", branch);
  const { cli, ready } = await startDev({
    root,
    write: () => Promise.resolve(),
    [Symbol.asyncDispose]: remove,
  });
  const { token } = JSON.parse(await readFile(`${root}/.chanctl/run.json`, "utf8")) as { token: string };
  const server = { url: ready.url, internalUrl: ready.internalUrl, token };
  const project = new EditedProject({ files: new ProjectFiles(root), server, cli, remove });
  await project.audience.fill(await project.list());
  return project;
}

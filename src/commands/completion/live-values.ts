import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { listDefinitionFiles } from "../../registry/definition-files.ts";
import { findProject } from "../../server/config-file.ts";
import type { Io } from "../io.ts";
import { call } from "../target/call.ts";
import { parseCatalog } from "../target/channel-catalog.ts";
import type { CatalogEntry } from "../target/channel-catalog.ts";
import { resolveTarget } from "../target/target.ts";
import type { Candidate } from "./wanted.ts";

/** A shell waits for this: a server that is busy for longer is done without. */
const PATIENCE_MS = 500;

/** The channels: those that the running server knows, else those that have a file. */
export async function channelCandidates(io: Io): Promise<Candidate[]> {
  const catalog = await readCatalog(io);
  if (catalog !== undefined) {
    return catalog.map(({ name, params }) => ({ word: name, about: describe(params) }));
  }
  const { byName } = listDefinitionFiles(await channelsFolder(io));
  return [...byName.keys()].sort().map((word) => ({ word, about: "channel" }));
}

/** The params of a channel, as options. Only a running server knows them: to load definitions takes too long. */
export async function paramCandidates(channel: string, io: Io): Promise<Candidate[]> {
  const entry = await findEntry(channel, io);
  return (entry?.params ?? []).map((name) => ({
    word: `--${name}`,
    about: entry?.required.includes(name) ? "param, required" : "param",
  }));
}

/** The values of a param, where its schema lists them. */
export async function paramValueCandidates(
  { channel, name }: { readonly channel: string; readonly name: string },
  io: Io,
): Promise<Candidate[]> {
  const entry = await findEntry(channel, io);
  return (entry?.choices.get(name) ?? []).map((word) => ({ word, about: name }));
}

/** The streams of the running server that begin so. */
export async function streamCandidates(prefix: string, io: Io): Promise<Candidate[]> {
  const query = new URLSearchParams({ prefix, limit: "100" });
  const value = await ask(`/_chanctl/streams?${query.toString()}`, io);
  const listed =
    typeof value === "object" && value !== null && "streams" in value ? value.streams : undefined;
  return (Array.isArray(listed) ? listed : []).flatMap((stream: unknown) =>
    typeof stream === "object" && stream !== null && "name" in stream && typeof stream.name === "string"
      ? [{ word: stream.name, about: "stream" }]
      : [],
  );
}

function describe(params: readonly string[]): string {
  return params.length === 0 ? "channel" : `channel, ${params.map((name) => `--${name}`).join(" ")}`;
}

async function findEntry(channel: string, io: Io): Promise<CatalogEntry | undefined> {
  return (await readCatalog(io))?.find(({ name }) => name === channel);
}

async function readCatalog(io: Io): Promise<CatalogEntry[] | undefined> {
  const value = await ask("/_chanctl/channels", io);
  return value === undefined ? undefined : parseCatalog(value);
}

/** What the running server answers; `undefined` without one. A shell's prompt is no place for errors. */
async function ask(path: string, io: Io): Promise<unknown> {
  try {
    const target = await resolveTarget({}, io);
    const answer = await call(target, { path, signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.status === 200 ? JSON.parse(answer.text) : undefined;
  } catch {
    return undefined;
  }
}

/** The folder that the config names, read as text: to run a config takes longer than a person waits for a Tab. */
async function channelsFolder(io: Io): Promise<string> {
  const { root, configPath } = await findProject(io.cwd);
  const config = configPath === undefined ? "" : await readFile(configPath, "utf8").catch(() => "");
  const named = /^\s*["']?channels["']?\s*:\s*["']([^"']+)["']/m.exec(config)?.[1];
  return resolve(root, io.env["CHANCTL_CHANNELS"] || named || "channels");
}

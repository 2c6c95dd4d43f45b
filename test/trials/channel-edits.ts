import { execFile } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { channelText } from "../support/channel-text.ts";
import type { Choices } from "../support/choices.ts";
import { anyDraft, definitionText, EXTENSIONS, NAMES, SHARED, sharedText } from "./channel-files.ts";
import type { ProjectFiles } from "./channel-files.ts";

/** Where an edit happens, and the randomness that shapes it. */
export interface EditContext {
  readonly files: ProjectFiles;
  readonly choices: Choices;
}

/**
 * What of the project an edit may touch, and so who may lose a connection:
 *
 * - `whole`: one state follows another, so who must lose a connection is known exactly
 * - `mixed`: states in between may be seen, and of what it touches anybody may be sent away for one of them
 * - `folder`: so it is for all channels, those too that nobody edits
 * - `none`: nothing that a channel is made of is touched
 */
type Reach = "whole" | "mixed" | "folder" | "none";

/** One thing that people do to files. */
export interface Edit {
  readonly title: string;
  readonly reach: Reach;
  readonly run: (context: EditContext) => void | Promise<void>;
}

const git = promisify(execFile);

/** Runs git as nobody in particular, whatever the machine's own configuration says. */
export async function runGit(root: string, ...args: readonly string[]): Promise<void> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
  await git("git", [...identity, ...args], { cwd: root });
}

function edit(title: string, reach: Reach, run: Edit["run"]): Edit {
  return { title, reach, run };
}

/** A file that is there as a plain one, or where it will be, and a good text for it. */
function target({ files, choices }: EditContext): { file: string; text: string } {
  const file = files.fileOf(choices.oneOf(NAMES), choices.oneOf(EXTENSIONS));
  if (files.has(file) && !statSync(files.path(file)).isFile()) files.remove(file);
  return { file, text: definitionText(file, anyDraft(choices)) };
}

const SAVES: readonly Edit[] = [
  edit("writes in place", "mixed", (context) => {
    const { file, text } = target(context);
    context.files.write(file, text);
  }),
  edit("renames a temporary file over it", "whole", (context) => {
    const { file, text } = target(context);
    const temporary = `${dirname(file)}/.tmp-save`;
    context.files.write(temporary, text);
    renameSync(context.files.path(temporary), context.files.path(file));
  }),
  edit("changes a limit only", "whole", ({ files, choices }) => {
    const file = files.fileOf(choices.oneOf(NAMES), "ts");
    if (!files.has(file) || !statSync(files.path(file)).isFile()) return;
    const text = readFileSync(files.path(file), "utf8");
    const temporary = `${dirname(file)}/.tmp-save`;
    files.write(temporary, text.replace(/("maxMessages":\s*)\d+/, `$1${choices.upTo(1_000_000)}`));
    renameSync(files.path(temporary), files.path(file));
  }),
  edit("truncates it, then writes", "mixed", async (context) => {
    const { file, text } = target(context);
    context.files.write(file, context.files.has(file) ? readFileSync(context.files.path(file), "utf8") : "");
    const descriptor = openSync(context.files.path(file), "r+");
    ftruncateSync(descriptor);
    await immediate();
    writeSync(descriptor, text);
    closeSync(descriptor);
  }),
  edit("saves as vim does", "mixed", async (context) => {
    const { files } = context;
    const { file, text } = target(context);
    files.write(file.replace(/([^/]+)$/, ".$1.swp"), "b0VIM");
    files.write("channels/4913", "");
    files.remove("channels/4913");
    if (files.has(file)) renameSync(files.path(file), files.path(`${file}~`));
    await immediate();
    files.write(file, text);
    files.remove(`${file}~`);
    files.remove(file.replace(/([^/]+)$/, ".$1.swp"));
  }),
  edit("is half written for a while", "mixed", async (context) => {
    const { file, text } = target(context);
    context.files.write(file, text.slice(0, context.choices.below(text.length)));
    await sleep(context.choices.below(200));
    context.files.write(file, text);
  }),
  edit("writes it with CRLF and a byte order mark", "mixed", (context) => {
    const { file, text } = target(context);
    context.files.write(file, `\uFEFF${text.replaceAll("\n", "\r\n")}`);
  }),
  edit("changes the module that several import", "mixed", ({ files, choices }) => {
    files.write(SHARED, sharedText(choices.upTo(1_000_000)));
  }),
];

const BREAKS: readonly Edit[] = [
  edit("empties it", "mixed", (context) => context.files.write(target(context).file, "")),
  edit("writes a syntax error", "mixed", (context) => {
    const { file } = target(context);
    context.files.write(file, "export default { transport: ws sse ");
  }),
  edit("throws while it is imported", "mixed", (context) => {
    const { file } = target(context);
    context.files.write(file, 'throw new Error("not today");\n');
  }),
  edit("says what no channel may say", "mixed", (context) => {
    const { file } = target(context);
    const definition = '{ "public": true, "trasport": "ws" }';
    context.files.write(file, file.endsWith(".json") ? definition : channelText(definition));
  }),
  edit("defines one channel twice", "mixed", ({ files, choices }) => {
    const name = choices.oneOf(NAMES);
    for (const extension of ["ts", "json"]) {
      const file = `channels/${name}.${extension}`;
      if (!files.has(file)) files.write(file, definitionText(file, anyDraft(choices)));
    }
  }),
  edit("breaks the module that several import, then mends it", "mixed", async ({ files, choices }) => {
    files.write(SHARED, "export const mox = 1;\n");
    await sleep(choices.below(300));
    files.write(SHARED, sharedText(choices.upTo(1_000_000)));
  }),
];

const MOVES: readonly Edit[] = [
  edit("deletes it", "whole", ({ files, choices }) => {
    for (const file of files.filesOf(choices.oneOf(NAMES))) files.remove(file);
  }),
  edit("deletes it and writes it anew", "mixed", async (context) => {
    const { file, text } = target(context);
    context.files.remove(file);
    await sleep(context.choices.below(200));
    context.files.write(file, text);
  }),
  edit("renames it", "mixed", ({ files, choices }) => {
    const file = choices.oneOf(NAMES.flatMap((name) => files.filesOf(name)).concat(SHARED));
    const to = `channels/${choices.oneOf(NAMES)}.${choices.oneOf(EXTENSIONS)}`;
    if (file === SHARED || file === to) return;
    files.remove(to);
    mkdirSync(dirname(files.path(to)), { recursive: true });
    renameSync(files.path(file), files.path(to));
  }),
  edit("puts a folder in its place", "mixed", (context) => {
    const { file, text } = target(context);
    context.files.remove(file);
    context.files.write(`${file}/inner.ts`, text);
  }),
  edit("puts a link in its place and changes what it leads to", "mixed", async (context) => {
    const { files, choices } = context;
    const { file, text } = target(context);
    const kept = `kept/${choices.below(3)}-${file.replaceAll("/", "-")}`;
    files.write(kept, text.replaceAll(/"\.\.?\/_shared/g, '"../channels/_shared'));
    files.remove(file);
    mkdirSync(dirname(files.path(file)), { recursive: true });
    symlinkSync(files.path(kept), files.path(file));
    await sleep(choices.below(200));
    const next = definitionText(file, { ...anyDraft(choices), importsShared: false });
    if (choices.below(2) === 0) files.write(kept, next);
    else {
      files.write(`${kept}.new`, next);
      renameSync(files.path(`${kept}.new`), files.path(kept));
    }
  }),
  edit("moves the whole folder away and back", "folder", async ({ files, choices }) => {
    renameSync(files.path("channels"), files.path("channels.away"));
    await sleep(choices.below(200));
    renameSync(files.path("channels.away"), files.path("channels"));
  }),
  edit("deletes the whole folder; git brings it back", "folder", async ({ files, choices }) => {
    files.remove("channels");
    await sleep(choices.below(200));
    await runGit(files.root, "checkout", "-q", "--", "channels");
  }),
];

const CHECKOUTS: readonly Edit[] = [
  edit("commits all there is", "none", async ({ files }) => {
    await runGit(files.root, "add", "-A");
    await runGit(files.root, "commit", "-q", "--allow-empty", "-m", "state");
  }),
  edit("begins a branch", "none", async ({ files, choices }) => {
    await runGit(files.root, "branch", "-f", `b${choices.below(4)}`).catch(() => {}); // the one that is checked out
  }),
  edit("checks out a branch", "mixed", ({ files, choices }) =>
    runGit(files.root, "checkout", "-q", "-f", `b${choices.below(4)}`),
  ),
  edit("checks out an earlier commit", "mixed", async ({ files, choices }) => {
    await runGit(files.root, "checkout", "-q", "-f", `HEAD~${choices.below(2)}`).catch(() => {});
  }),
  edit("stashes", "mixed", ({ files }) => runGit(files.root, "stash", "-q", "-u", "--", "channels")),
];

const JUNK: readonly Edit[] = [
  edit("leaves what editors leave", "none", ({ files, choices }) => {
    const names = [
      "news.ts~",
      ".news.ts.swp",
      "#news.ts#",
      ".#news.ts",
      "news.ts.orig",
      "news.ts.bak",
      ".DS_Store",
    ];
    files.write(`channels/${choices.oneOf(names)}`, `${choices.below(1_000)}`);
  }),
];

/** Every edit, the common ones more often. */
export const EDITS: readonly Edit[] = [
  ...SAVES,
  ...SAVES,
  ...MOVES,
  ...MOVES,
  ...BREAKS,
  ...CHECKOUTS,
  ...JUNK,
];

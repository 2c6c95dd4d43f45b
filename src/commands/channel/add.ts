import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

import { channelNameProblem, usableChannelName } from "../../protocol/channel-name.ts";
import { loadProject } from "../../server/config-file.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { palette } from "../palette.ts";
import { stepLines } from "../step-lines.ts";
import type { Step } from "../step-lines.ts";
import { readChannelText } from "../init/channel-text.ts";
import { codeExtension } from "../init/code-extension.ts";
import { inspectProject } from "../init/project.ts";
import type { Project } from "../init/project.ts";
import { jsonDefinition } from "./json-definition.ts";
import { parseParamDraft } from "./param-schema.ts";
import type { ParamDraft } from "./param-schema.ts";

/** The flags of `channel add`, as commander read them. */
export interface AddFlags {
  readonly transport: string;
  readonly param?: readonly string[];
  readonly public?: true;
  readonly force?: true;
  readonly json?: true;
}

const EXTENSIONS = ["ts", "js", "mjs", "mts", "json"];

/**
 * Writes the file of a new channel and says what to do next.
 *
 * @throws {ChanctlError} `usage` for a name, transport or param that cannot be; `would_overwrite`.
 */
export async function runChannelAdd(
  { name, flags }: { name: string; flags: AddFlags },
  io: Io,
): Promise<void> {
  assertName(name);
  assertTransport(flags.transport);
  const params = (flags.param ?? []).map(parseParamDraft);
  assertDistinct(params);
  const { root, config } = await loadProject(io.cwd);
  const { channels } = resolveOptions({ flags: {}, env: io.env, config, root, cwd: io.cwd });
  const project = await inspectProject(root, io.env);
  const extension = writesJson(project) ? "json" : codeExtension(project);
  const path = join(channels, `${name}.${extension}`);
  await assertNoOtherFile(path, { root, isForced: flags.force === true });
  const { transport, public: isPublic = false } = flags;
  const source =
    extension === "json"
      ? jsonDefinition({ transport, params, isPublic })
      : await readChannelText({ transport, params, isPublic, language: project.language });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, source, { flag: flags.force ? "w" : "wx" });
  const file = relative(io.cwd, path);
  io.stdout(
    flags.json ? `${JSON.stringify({ name, file })}\n` : nextSteps({ name, file, flags, params }, io),
  );
}

function assertName(name: string): void {
  const problem = channelNameProblem(name);
  if (problem === undefined) return;
  throw new ChanctlError("usage", `the channel name \`${name}\` ${problem}`, {
    hint: `chanctl channel add ${usableChannelName(name) ?? "<name>     such as chat, or game/moves"}`,
  });
}

function assertTransport(transport: string): void {
  if (transport === "ws" || transport === "sse") return;
  throw new ChanctlError("usage", `\`--transport\` must be ws or sse, got \`${transport}\``, {
    hint: "ws: clients publish too; sse: they only read",
  });
}

function assertDistinct(params: readonly ParamDraft[]): void {
  const names = params.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new ChanctlError("usage", `the param \`${twice}\` is given more than once`, {
    hint: `give \`--param ${twice}\` once`,
  });
}

/** `chat.json` beside `chat.ts` would be two definitions of one channel, so `--force` does not allow that. */
async function assertNoOtherFile(
  path: string,
  { root, isForced }: { root: string; isForced: boolean },
): Promise<void> {
  for (const extension of EXTENSIONS) {
    const other = path.replace(/[a-z]+$/, extension);
    const isThere = (await stat(other).catch(() => undefined)) !== undefined;
    if (!isThere || (isForced && other === path)) continue;
    throw new ChanctlError("would_overwrite", `the channel has a file already: ${relative(root, other)}`, {
      hint: other === path ? "--force     replaces it" : `remove ${relative(root, other)} first`,
    });
  }
}

/** Where the channels of a project are JSON files, a new one is another. */
function writesJson({ other, paths }: Project): boolean {
  if (other === undefined) return false;
  return other.language !== "unknown" || paths.has("chanctl.config.json");
}

interface NextSteps {
  readonly name: string;
  readonly file: string;
  readonly flags: AddFlags;
  readonly params: readonly ParamDraft[];
}

function nextSteps({ name, file, flags, params }: NextSteps, io: Io): string {
  const { bold } = palette(io.color);
  const given = params
    .filter(({ isRequired }) => isRequired)
    .map((param) => `--${param.name} ${exampleOf(param)}`);
  const channel = [name, ...given].join(" ");
  const steps: readonly Step[] = [
    ...(flags.public ? [] : [whoMayComeIn(file)]),
    ["chanctl dev", "serves it"],
    [`chanctl tail ${channel}`, "follows it"],
    [`chanctl publish ${channel} '{"text":"hi"}'`, "publishes to it"],
  ];
  return `wrote ${bold(file)}\n\n${stepLines(steps, io)}`;
}

function whoMayComeIn(file: string): Step {
  if (file.endsWith(".json")) return ["POST /channels/authorize", "answer it in the app: who may come in"];
  return [`edit ${file}`, "findUser says who may come in; nobody may yet"];
}

function exampleOf({ type }: ParamDraft): string {
  return { string: "lobby", integer: "1", number: "1.5", boolean: "true" }[type] ?? "…";
}

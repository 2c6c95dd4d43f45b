import { channelNameProblem } from "../../protocol/channel-name.ts";
import { clip } from "../../shared/clip.ts";
import { didYouMean } from "../../shared/did-you-mean.ts";
import { ChanctlError } from "../../shared/errors.ts";
import { call, errorOfAnswer } from "./call.ts";
import type { ChannelArgs } from "./channel-args.ts";
import { FOLLOWS_BY_ITSELF } from "./follow-hint.ts";
import type { Target } from "./target.ts";

/** A channel as the running server knows it. */
export interface CatalogEntry {
  readonly name: string;
  readonly params: readonly string[];
  /** The params that must be given: required, and without a default. */
  readonly required: readonly string[];
  /** The types of its messages; none where any type is accepted. */
  readonly types: readonly string[];
  /** The values of a param, where its schema lists them. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
  /** Why it cannot be used; absent if it can. */
  readonly problem: string | undefined;
}

interface CheckOptions {
  /** The command, for the hint: `tail`. */
  readonly command: string;
  /** The command's own options, which a mistyped one may have meant. */
  readonly optionNames: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Checks channel and params against the running server before anything is sent, so that a slip of the
 * fingers is answered with the name that was meant. Values are for the server to check. A public server
 * does not tell its channels; there nothing is checked.
 *
 * @returns the channel; `undefined` of a public server.
 * @throws {ChanctlError} `usage` for an unknown channel, and for an unknown, repeated or missing param.
 */
export async function checkChannelArgs(
  { channel, params, valueless }: ChannelArgs,
  { target, command, optionNames, signal }: CheckOptions & { target: Target },
): Promise<CatalogEntry | undefined> {
  if (!target.isInternal) {
    assertValues(valueless, optionNames);
    return undefined;
  }
  const catalog = await readCatalog(target, signal);
  const entry = catalog.find(({ name }) => name === channel);
  if (entry === undefined) throw unknownChannel(channel, catalog);
  if (entry.problem !== undefined) {
    throw new ChanctlError("definition_invalid", entry.problem, {
      hint: "chanctl channel list     shows it",
    });
  }
  const names = params.map(([name]) => name);
  for (const name of [...names, ...valueless]) {
    if (!entry.params.includes(name)) throw unknownParam(name, { entry, command, optionNames });
  }
  assertValues(valueless, []);
  for (const name of names) {
    if (names.indexOf(name) !== names.lastIndexOf(name)) {
      throw new ChanctlError("usage", `the param \`${name}\` is given more than once`, {
        hint: `give \`--${name}\` once`,
      });
    }
  }
  const missing = entry.required.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new ChanctlError(
      "usage",
      `the channel \`${channel}\` needs ${missing.map((name) => `\`--${name}\``).join(" and ")}`,
      {
        hint: `chanctl ${command} ${channel} ${missing.map((name) => example(name, optionNames)).join(" ")}`,
      },
    );
  }
  return entry;
}

/** What to do about a channel that the project's server does not have; `undefined` if it has it. */
export async function missingChannelHint(
  channel: string,
  { target, signal }: { readonly target: Target; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const catalog = await readCatalog(target, signal);
  return catalog.some(({ name }) => name === channel) ? undefined : unknownChannel(channel, catalog).hint;
}

/** How a param is given: one that is named like an option of the command goes by another way. */
function example(name: string, optionNames: readonly string[]): string {
  return optionNames.includes(name) ? `--param ${name}=<${name}>` : `--${name} <${name}>`;
}

/**
 * Refuses a param without a value. Where the params are not known, an option that was mistyped is the likelier slip.
 *
 * @throws {ChanctlError} `usage`.
 */
export function assertValues(valueless: readonly string[], optionNames: readonly string[]): void {
  const [name] = valueless;
  if (name === undefined) return;
  const near = didYouMean(name, optionNames);
  throw new ChanctlError("usage", `\`--${name}\` needs a value`, {
    hint: near === undefined ? `--${name} <value>` : `did you mean \`--${near}\`?`,
  });
}

function unknownChannel(channel: string, catalog: readonly CatalogEntry[]): ChanctlError {
  const near = didYouMean(
    channel,
    catalog.map(({ name }) => name),
  );
  const add = `chanctl channel add ${channel}`;
  const width = add.length + 5;
  const list = `${"chanctl channel list".padEnd(width)}shows the channels`;
  const both =
    channelNameProblem(channel) === undefined ? `${list}\n${add.padEnd(width)}makes this one` : list;
  return new ChanctlError("usage", `there is no channel \`${clip(channel)}\``, {
    hint: near === undefined ? both : `did you mean \`${near}\`?`,
  });
}

function unknownParam(
  name: string,
  { entry, command, optionNames }: Omit<CheckOptions, "signal"> & { readonly entry: CatalogEntry },
): ChanctlError {
  const follow = command === "tail" ? ["follow"] : [];
  const near = didYouMean(name, [...entry.params, ...follow, ...optionNames]);
  const all = entry.params.map((param) => example(param, optionNames)).join(", ");
  const known = all === "" ? `\`${entry.name}\` has no params` : `the params of \`${entry.name}\` are ${all}`;
  const meant =
    near === "follow" && !entry.params.includes(near)
      ? FOLLOWS_BY_ITSELF
      : near && `did you mean \`--${near}\`?`;
  return new ChanctlError("usage", `the channel \`${entry.name}\` has no param \`${name}\``, {
    hint: meant ?? known,
  });
}

async function readCatalog(target: Target, signal: AbortSignal): Promise<CatalogEntry[]> {
  const answer = await call(target, { path: "/_chanctl/channels", signal });
  if (answer.status !== 200) throw errorOfAnswer(answer);
  return parseCatalog(JSON.parse(answer.text));
}

/** Reads what the server tells of its channels. */
export function parseCatalog(value: unknown): CatalogEntry[] {
  const { channels } = toRecord(value);
  return (Array.isArray(channels) ? channels : []).map((channel: unknown) => {
    const { name, paramsSchema, types, error } = toRecord(channel);
    const { properties, required } = toRecord(paramsSchema);
    const schemas = toRecord(properties);
    const needed = Array.isArray(required) ? required.map(String) : [];
    return {
      name: String(name),
      params: Object.keys(schemas),
      required: needed.filter((param) => !("default" in toRecord(schemas[param]))),
      types: Array.isArray(types) ? types.map(String) : [],
      choices: new Map(Object.entries(schemas).map(([param, schema]) => [param, choicesOf(schema)])),
      problem: paramsSchema === undefined && typeof error === "string" ? error : undefined,
    };
  });
}

function choicesOf(schema: unknown): readonly string[] {
  const { enum: values, type } = toRecord(schema);
  if (type === "boolean") return ["true", "false"];
  return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

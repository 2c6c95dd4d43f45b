import type { Command } from "commander";

import type { Io } from "../io.ts";
import { channelCandidates, paramCandidates, paramValueCandidates, streamCandidates } from "./live-values.ts";
import { wantedAt } from "./wanted.ts";
import type { Candidate, Wanted } from "./wanted.ts";
import { joinEquals } from "./words.ts";

/** Prints what may stand at the end of a command line, for a completion script: `words` or `files`, then a word a line. */
export async function runComplete(
  words: readonly string[],
  { program, io }: { readonly program: Command; readonly io: Io },
): Promise<void> {
  const joined = joinEquals(words);
  const typed = joined.at(-1) ?? "";
  // `--room=lo` is an option and its value in one word, of which bash replaces the value alone.
  const [, option, value] = /^(--[^=]+=)(.*)$/s.exec(typed) ?? [];
  const before = [...joined.slice(0, -1), ...(option === undefined ? [] : [option.slice(0, -1)])];
  const current = value ?? typed;
  const wanted = wantedAt(program, before, current);
  const isTakenApart = joined.length < words.length;
  const front = isTakenApart ? "" : (option ?? "");
  const candidates = (await candidatesOf(wanted, { current, io })).filter(({ word }) =>
    word.startsWith(current),
  );
  const lines = candidates.map(({ word, about }) => `${front}${word}\t${about.split("\n")[0] ?? ""}`);
  io.stdout(`${[wanted.kind === "files" ? "files" : "words", ...lines].join("\n")}\n`);
}

async function candidatesOf(
  wanted: Wanted,
  { current, io }: { readonly current: string; readonly io: Io },
): Promise<readonly Candidate[]> {
  switch (wanted.kind) {
    case "words":
      return wanted.candidates;
    case "channel":
      return channelCandidates(io);
    case "stream":
      return streamCandidates(current, io);
    case "param": {
      const params = wanted.channel === undefined ? [] : await paramCandidates(wanted.channel, io);
      // A param that is named like an option of the command is given as `--param name=value`.
      const taken = new Set([...wanted.given, ...wanted.candidates.map(({ word }) => word)]);
      return [...params.filter(({ word }) => !taken.has(word)), ...wanted.candidates];
    }
    case "param-value":
      return wanted.channel === undefined
        ? []
        : paramValueCandidates({ channel: wanted.channel, name: wanted.name }, io);
    case "files":
    case "anything":
      return [];
    default:
      return wanted satisfies never;
  }
}

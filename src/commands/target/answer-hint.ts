import type { ErrorCode } from "../../shared/errors.ts";

/** What to do about an answer of a server that says only what is wrong: it does not know that a person asked by command. */
const HINTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  channel_unknown: "chanctl channel list     in the server's project, shows the channels",
  message_invalid: "chanctl channel list --json     shows the schema of each type",
  params_invalid: "chanctl channel list --json     shows what each param must be",
  stream_closed: "chanctl stream create <path>     begins another; what is closed stays as it is",
  too_big:
    "send it in smaller parts, or raise the limit that it names in the server's config, under `limits`",
  unauthenticated:
    "run it in the project's folder without `--url`, or give `--token` one that the app takes as Bearer",
  forbidden: "run it in the project's folder without `--url`, or give `--token` of somebody who may",
};

/** The hint of an answer's code; `undefined` where there is none. */
export function hintOfAnswer(code: ErrorCode): string | undefined {
  return HINTS[code];
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { readRunFile } from "../../platform/run-file.ts";
import type { RunFile } from "../../platform/run-file.ts";
import { findProject } from "../../server/config-file.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";

/** The server that a command talks to, and as whom. */
export interface Target {
  readonly url: URL;
  /** Sent as Bearer: the operator's on the internal listener, a caller's on a public one. */
  readonly token?: string;
  /** PEM of the CA to trust; absent: the system's. */
  readonly ca?: string;
  /** Whether this is the internal listener, where the operator's token opens every channel. */
  readonly isInternal: boolean;
}

export interface TargetOptions {
  /** A public URL; absent: the project's running server. */
  readonly url?: string | undefined;
  /** A caller's credential for `url`. */
  readonly token?: string | undefined;
}

/**
 * Finds the server: the one of `--url`, else the running one of this project.
 *
 * @throws {ChanctlError} `cannot_connect` if none runs here, `usage` for flags that do not fit.
 */
export async function resolveTarget({ url, token }: TargetOptions, io: Io): Promise<Target> {
  const { root } = await findProject(io.cwd);
  const run = await readRunFile(join(root, ".chanctl"));
  if (url !== undefined) return publicTarget({ url: parseUrl(url), token, run });
  if (token !== undefined) {
    throw new ChanctlError("usage", "`--token` is a caller's credential for `--url`, got no `--url`", {
      hint: "leave `--token` out: the project's own server is reached with its own token",
    });
  }
  if (run === undefined) {
    throw new ChanctlError("cannot_connect", `no chanctl runs in ${root} (it has no .chanctl/run.json)`, {
      hint: "chanctl dev             start it here\n--url https://…         or name another server",
    });
  }
  return { url: new URL(run.internalUrl), token: run.token, isInternal: true };
}

async function publicTarget({
  url,
  token,
  run,
}: {
  url: URL;
  token: string | undefined;
  run: RunFile | undefined;
}): Promise<Target> {
  const isOurs = run?.caPath !== undefined && isSameServer(url, new URL(run.url));
  const ca = isOurs && run.caPath !== undefined ? await readFile(run.caPath, "utf8") : undefined;
  return {
    url,
    isInternal: false,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** localhost, 127.0.0.1 and shop.localhost at one port are one server under several names. */
function isSameServer(a: URL, b: URL): boolean {
  const isLoopback = ({ hostname }: URL): boolean => /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(hostname);
  return (
    a.origin === b.origin ||
    (a.protocol === b.protocol && a.port === b.port && isLoopback(a) && isLoopback(b))
  );
}

function parseUrl(text: string): URL {
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return new URL(text);
  throw new ChanctlError("usage", `\`--url\` must be an http or https URL, got \`${text}\``, {
    hint: "--url https://localhost:4433",
  });
}

import { loadProject } from "../../server/config-file.ts";
import { mintJwt, mintStreamToken } from "../../server/mint-token.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import type { ResolvedOptions } from "../../server/resolve-options.ts";
import type { Flags } from "../../server/setting-source.ts";
import { parseDurationMs } from "../../shared/duration.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { assertStreamPath, parseStreamGrant } from "./stream-grant.ts";

/** The flags of `token jwt`, as commander read them. */
export interface JwtFlags {
  readonly subject?: string;
  readonly stream?: readonly string[];
  readonly expires: string;
  readonly audience?: string;
  readonly issuer?: string;
  readonly secret?: string;
}

/**
 * Prints a JWT.
 *
 * @throws {ChanctlError} `usage`, `config_invalid`.
 */
export async function runTokenJwt(flags: JwtFlags, io: Io): Promise<void> {
  const { subject, audience, issuer, expires, stream = [] } = flags;
  if (subject === "") {
    throw new ChanctlError("usage", "`--subject` must be a text that is not empty", {
      hint: "--subject u1     or leave it out",
    });
  }
  const expiresInMs = parseDurationMs(expires);
  if (expiresInMs === undefined || expiresInMs < 1_000) {
    throw new ChanctlError(
      "usage",
      `\`--expires\` must be a duration of 1 s or more, such as \`1h\`, got \`${expires}\``,
      { hint: "--expires 1h     or 90s, 10m, 7d" },
    );
  }
  const streams = stream.map(parseStreamGrant);
  const options = await resolve({ "jwt.secret": flags.secret }, io);
  const token = await mintJwt(options, {
    ...(subject === undefined ? {} : { subject }),
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    streams,
    expiresAt: Date.now() + expiresInMs,
  });
  io.stdout(`${token}\n`);
}

/**
 * Prints a signed stream token.
 *
 * @throws {ChanctlError} `usage` for a name that can be no stream's; `config_invalid`.
 */
export async function runTokenStream(
  { name, flags }: { name: string; flags: { readonly secret?: string } },
  io: Io,
): Promise<void> {
  assertStreamPath(name, "`<name>`");
  const options = await resolve({ streamsSecret: flags.secret }, io);
  io.stdout(`${mintStreamToken(options, name)}\n`);
}

/** What the server of this project is started with: the same secret, from the same places. */
async function resolve(flags: Flags, io: Io): Promise<ResolvedOptions> {
  if (Object.values(flags).includes("")) {
    throw new ChanctlError("config_invalid", "`--secret` must be a secret that is not empty", {
      hint: "--secret <secret>     or leave it out, to sign with the project's own",
    });
  }
  const { root, config } = await loadProject(io.cwd);
  return resolveOptions({ flags, env: io.env, config, root, cwd: io.cwd });
}

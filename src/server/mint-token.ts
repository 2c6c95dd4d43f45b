import { signJwt } from "../auth/sign-jwt.ts";
import type { JwtContent } from "../auth/sign-jwt.ts";
import { signStream } from "../auth/signed-stream.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { ResolvedOptions } from "./resolve-options.ts";

/**
 * Makes a JWT that the server with these options takes: what is left out of audience and issuer is as the options ask.
 *
 * @throws {ChanctlError} `config_invalid` where there is no secret to sign with.
 */
export async function mintJwt({ jwt }: Pick<ResolvedOptions, "jwt">, content: JwtContent): Promise<string> {
  if (jwt === undefined) {
    throw new ChanctlError("config_invalid", "there is no secret to sign a JWT with", {
      hint: "chanctl token jwt --secret <secret>\nor set `jwt.secret` in chanctl.config.ts, or CHANCTL_JWT_SECRET",
    });
  }
  if (typeof jwt.key !== "string") {
    throw new ChanctlError("config_invalid", "the JWTs of `jwt.jwksUrl` are signed by whoever has its keys", {
      hint: "get a token there; or, for a server with a secret, chanctl token jwt --secret <secret>",
    });
  }
  const { audience = jwt.audience, issuer = jwt.issuer } = content;
  return signJwt(
    {
      ...content,
      ...(audience === undefined ? {} : { audience }),
      ...(issuer === undefined ? {} : { issuer }),
    },
    jwt.key,
  );
}

/**
 * Signs the name of a stream, so that whoever holds the token may read it.
 *
 * @throws {ChanctlError} `config_invalid` where there is no secret to sign with.
 */
export function mintStreamToken(
  { streamsSecret }: Pick<ResolvedOptions, "streamsSecret">,
  name: string,
): string {
  if (streamsSecret === undefined) {
    throw new ChanctlError("config_invalid", "there is no secret to sign a stream's name with", {
      hint: "chanctl token stream <name> --secret <secret>\nor set `streamsSecret` in chanctl.config.ts, or CHANCTL_STREAMS_SECRET",
    });
  }
  return signStream(name, streamsSecret);
}

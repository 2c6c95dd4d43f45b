import type { Command } from "commander";

import type { Io } from "./io.ts";
import { collect } from "./target/command-options.ts";
import type { JwtFlags } from "./token/run-token.ts";

const GROUP_EXAMPLE = `Makes tokens for clients of Durable Streams, and prints them alone.

  $ chanctl token jwt --subject u1 --expires 1h
  $ chanctl token stream chat/room=lobby
`;

const JWT_EXAMPLE = `Makes a JWT (HS256) that says who a client is and, with --stream, what it may \
do.

  $ chanctl token jwt --subject u1 --expires 1h
  $ chanctl token jwt --subject worker --stream 'jobs/*:read,append'
  $ token=$(chanctl token jwt --subject u1)
  $ curl -H "Authorization: Bearer $token" https://localhost:4433/ds/jobs/42
`;

const STREAM_EXAMPLE = `Signs the name of a stream: whoever holds the token may read this stream alone.

  $ chanctl token stream chat/room=lobby
  $ curl -H "X-Signed: $(chanctl token stream jobs/42)" https://localhost:4433/ds/jobs/42
`;

/** Adds `chanctl token` with its kinds. */
export function registerToken(program: Command, io: Io): void {
  const token = program
    .command("token")
    .summary("make tokens for clients of Durable Streams")
    .addHelpText("before", GROUP_EXAMPLE);
  token
    .command("jwt")
    .summary("a JWT: who a client is")
    .addHelpText("before", JWT_EXAMPLE)
    .option("--subject <subject>", "who the client is (nobody)")
    .option(
      "--stream <pattern:operations>",
      "what it may do with raw streams; repeatable (all that the app lets it)",
      collect,
    )
    .option("--expires <duration>", "how long it lasts, such as 10m, 1h or 7d", "1h")
    .option("--audience <audience>", "whom it is for (what the server asks for)")
    .option("--issuer <issuer>", "who it is from (what the server asks for)")
    .option("--secret <secret>", "what to sign with (CHANCTL_JWT_SECRET, or jwt.secret of the config)")
    .action(async (flags: JwtFlags) => {
      const { runTokenJwt } = await import("./token/run-token.ts");
      await runTokenJwt(flags, io);
    });
  token
    .command("stream")
    .summary("a signed name: read one stream")
    .addHelpText("before", STREAM_EXAMPLE)
    .argument("<name>", "the stream's path: jobs/42, or chat/room=lobby of a channel")
    .option("--secret <secret>", "what to sign with (CHANCTL_STREAMS_SECRET, or streamsSecret of the config)")
    .action(async (name: string, flags: { readonly secret?: string }) => {
      const { runTokenStream } = await import("./token/run-token.ts");
      await runTokenStream({ name, flags }, io);
    });
}

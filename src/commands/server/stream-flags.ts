import type { Command } from "commander";

import type { Flags } from "../../server/setting-source.ts";

/** The flags of Durable Streams and of who may use them, as commander read them. */
export interface StreamFlags {
  readonly ds?: boolean;
  readonly dsPath?: string;
  readonly dsSkipAuth?: boolean;
  readonly dsPollInterval?: string;
  readonly dsSseTtl?: string;
  readonly publicStreams?: boolean;
  readonly publicWrites?: boolean;
  readonly streamsSecret?: string;
  readonly jwtSecret?: string;
}

/** Adds the flags of Durable Streams, the same to `dev` and `serve`. */
export function addStreamFlags(command: Command): Command {
  return command
    .optionsGroup("Durable Streams:")
    .option("--ds", "serve Durable Streams (they are)")
    .option("--no-ds", "serve none")
    .option("--ds-path <path>", "the path that they are under (/ds)")
    .option("--ds-skip-auth", "clients need no JWT; whether they may is still asked")
    .option("--no-ds-skip-auth", "clients need a JWT, whatever the config says")
    .option("--ds-poll-interval <seconds>", "how long a long-poll waits (10)")
    .option("--ds-sse-ttl <seconds>", "how long an event stream lives before its client comes back (60)")
    .option("--public-streams", "anyone may read every stream")
    .option("--no-public-streams", "only those who may, whatever the config says")
    .option("--public-writes", "anyone may create, append, close and delete; for tests and trusted networks")
    .option("--no-public-writes", "only those who may, whatever the config says")
    .option("--streams-secret <secret>", "what signed stream tokens are signed with (none)")
    .option("--jwt-secret <secret>", "what the JWTs of clients are signed with, HS256 (none)")
    .optionsGroup("Options:");
}

/** The flags by setting. */
export function toStreamSettings(flags: StreamFlags): Flags {
  return {
    "durableStreams.enabled": flags.ds,
    "durableStreams.path": flags.dsPath,
    "durableStreams.skipAuth": flags.dsSkipAuth,
    "durableStreams.pollIntervalSecs": flags.dsPollInterval,
    "durableStreams.sseTtlSecs": flags.dsSseTtl,
    "durableStreams.publicStreams": flags.publicStreams,
    "durableStreams.publicWrites": flags.publicWrites,
    streamsSecret: flags.streamsSecret,
    "jwt.secret": flags.jwtSecret,
  };
}

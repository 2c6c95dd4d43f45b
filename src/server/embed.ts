import { resolve } from "node:path";
import { readCertificatePair } from "../certs/certificate-pair.ts";
import type { Logger } from "../shared/logger.ts";
import type { OutputLine } from "../app/output-lines.ts";
import { resolveOptions } from "./resolve-options.ts";
import { startServer as start } from "./start-server.ts";
import type { RunningServer } from "./start-server.ts";
import type { UserConfig } from "./user-config.ts";

/** How to start the broker from code: the keys of `chanctl.config.ts`, and what a command would add. */
export interface StartServerOptions extends UserConfig {
  /** The project's folder: `channels` and `.chanctl` are in it. @default the working directory */
  readonly root?: string;
  /** Reload channel files when they are saved. @default false */
  readonly watch?: boolean;
  /** The environment of `CHANCTL_*` variables, and in which the app runs. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** Is told what happens. @default nobody is */
  readonly logger?: Logger;
  /** Is given each line that the app writes. */
  readonly onAppOutput?: (line: OutputLine) => void;
}

/**
 * Starts the broker, and the app where one is configured: the same server as `chanctl serve`, for code and tests.
 *
 * ```ts
 * await using server = await startServer({ root: "./my-project", port: 0 });
 * await fetch(`${server.url}/channels/chat?room=lobby`);
 * ```
 *
 * A config file is not read; give its keys here.
 *
 * @throws {ChanctlError} `config_invalid`, `port_in_use`, `store_in_use`, … Nothing that was opened stays open.
 */
export async function startServer(options: StartServerOptions = {}): Promise<RunningServer> {
  const { root = ".", watch = false, env = process.env, logger = () => {}, onAppOutput, ...config } = options;
  const folder = resolve(root);
  const { tls, app, ...resolved } = resolveOptions({
    flags: {},
    env,
    config: { path: "startServer()", value: config, source: "" },
    root: folder,
    cwd: folder,
    defaults: { host: "127.0.0.1" },
  });
  const pair = tls === undefined ? undefined : await readCertificatePair(tls);
  const onOutput = onAppOutput === undefined ? {} : { onOutput: onAppOutput };
  return start({
    ...resolved,
    ...(app === undefined ? {} : { app: "command" in app ? { ...app, ...onOutput } : app }),
    ...(pair === undefined ? {} : { tls: { cert: pair.certPem, key: pair.keyPem } }),
    http2: pair !== undefined,
    watch,
    env,
    logger,
  });
}

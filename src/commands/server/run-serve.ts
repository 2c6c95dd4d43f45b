import { readCertificatePair } from "../../certs/certificate-pair.ts";
import { loadProject } from "../../server/config-file.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import type { Io } from "../io.ts";
import { createReporter } from "./reporter.ts";
import { runServer } from "./run-server.ts";
import { toStreamSettings } from "./stream-flags.ts";
import type { StreamFlags } from "./stream-flags.ts";

/** The flags of `serve`, as commander read them. */
export interface ServeFlags extends StreamFlags {
  readonly port?: string;
  readonly host?: string;
  readonly app?: string;
  readonly appUrl?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly internalHost?: string;
  readonly internalPort?: string;
  readonly json?: true;
}

/**
 * Runs the production server until a signal ends it.
 *
 * @throws {ChanctlError} `usage`, `config_invalid`, `definition_invalid`, `certificate_invalid`, or why the
 *   server could not start.
 */
export async function runServe(flags: ServeFlags, io: Io): Promise<void> {
  const startedAt = performance.now();
  const { root, config } = await loadProject(io.cwd);
  const { tls, ...options } = resolveOptions({
    flags: {
      port: flags.port,
      host: flags.host,
      "app.command": flags.app,
      "app.url": flags.appUrl,
      "tls.cert": flags.cert,
      "tls.key": flags.key,
      internalHost: flags.internalHost,
      internalPort: flags.internalPort,
      ...toStreamSettings(flags),
    },
    env: io.env,
    config,
    root,
    cwd: io.cwd,
    defaults: { host: "0.0.0.0" },
  });
  const pair = tls === undefined ? undefined : await readCertificatePair(tls);
  const { app } = options;
  const reporter = await createReporter({ io, isJson: flags.json === true, startedAt, app, isQuiet: true });
  await runServer(
    {
      ...options,
      ...(app && "command" in app ? { app: { ...app, onOutput: reporter.appOutput } } : {}),
      ...(pair === undefined ? {} : { tls: { cert: pair.certPem, key: pair.keyPem } }),
      http2: pair !== undefined,
      watch: false,
      logger: reporter.entry,
    },
    { io, reporter },
  );
}

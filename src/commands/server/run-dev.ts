import { loadProjectName } from "../../certs/project-name.ts";
import { listLanAddresses } from "../../platform/lan-address.ts";
import { noBrowserText, openBrowser } from "../../platform/open-browser.ts";
import { loadProject } from "../../server/config-file.ts";
import { ConfigWatch } from "../../server/config-watch.ts";
import type { ConfigReading } from "../../server/config-watch.ts";
import { stampOf } from "../../registry/file-stamp.ts";
import type { ServerOptions } from "../../server/options.ts";
import { resolveOptions } from "../../server/resolve-options.ts";
import type { ResolvedOptions } from "../../server/resolve-options.ts";
import type { RunningServer } from "../../server/start-server.ts";
import { ChanctlError } from "../../shared/errors.ts";
import type { Io } from "../io.ts";
import { appColors } from "./app-colors.ts";
import { detectAppCommand } from "./detect-app.ts";
import { resolveDevTrust } from "../trust/dev-trust.ts";
import { loadDevCertificates } from "./dev-certificates.ts";
import { hostWarnings } from "./host-warning.ts";
import { LanWatch } from "./lan-watch.ts";
import { isAtLocalhost, openLan } from "./lan.ts";
import { createReporter } from "./reporter.ts";
import { runServer } from "./run-server.ts";
import { toStreamSettings } from "./stream-flags.ts";
import type { StreamFlags } from "./stream-flags.ts";
import { joinShellWords } from "./shell-words.ts";

/** As a shell reports a program that Ctrl-C ended. */
const EXIT_CANCELLED = 130;

/** The flags of `dev`, as commander read them. */
export interface DevFlags extends StreamFlags {
  readonly port?: string;
  /** `true` without a value: all addresses. */
  readonly host?: string | true;
  readonly app?: string;
  readonly appPort?: string;
  readonly tls: boolean;
  readonly trust: boolean;
  readonly http1?: true;
  readonly internalHost?: string;
  readonly internalPort?: string;
  readonly open?: true;
  readonly json?: true;
}

/**
 * Runs the dev server until a signal ends it.
 *
 * @param input.words the app's command after `--`; empty without one.
 * @throws {ChanctlError} `usage`, `config_invalid`, `certificate_invalid`, or why the server could not start.
 */
export async function runDev(
  { words, flags }: { words: readonly string[]; flags: DevFlags },
  io: Io,
): Promise<void> {
  const startedAt = performance.now();
  const stamps: Record<string, string> = {};
  const read = (reading: ConfigReading): Promise<ResolvedOptions> =>
    resolveDevOptions(words, { flags, io, reading });
  const resolved = await read({ onInput: (file) => (stamps[file] ??= stampOf(file)) });
  const { tls: _serveOnly, app, ...options } = resolved;
  const { root, host } = options;
  let { allowedHosts = [] } = options;
  const projectName = await loadProjectName(root);
  const lan = openLan(host);
  const certificates = flags.tls
    ? await loadDevCertificates({ projectName, host, allowedHosts: () => allowedHosts, lan }, io)
    : undefined;
  const mayAsk = flags.trust && flags.json !== true;
  const trust = certificates && (await resolveDevTrust({ ...certificates, mayAsk }, io));
  if (trust?.isCancelled) return io.setExitCode(EXIT_CANCELLED);
  const caPem = certificates?.caPem;
  const network = lan && (await import("./network-view.ts")).createNetworkView({ lan, caPem }, io);
  const reporter = await createReporter({
    io,
    isJson: flags.json === true,
    startedAt: startedAt + (trust?.askedMs ?? 0),
    trustText: trust?.text,
    app,
    log: { stateFolder: options.stateFolder, args: process.argv.slice(2) },
    projectHost: certificates && isAtLocalhost(host) ? `${projectName}.localhost` : undefined,
    ...(network ? { network } : {}),
  });
  const logger = reporter.entry;
  const serverOptions: ServerOptions = {
    ...options,
    ...(app === undefined ? {} : { app: "command" in app ? { ...app, onOutput: reporter.appOutput } : app }),
    ...(certificates === undefined ? {} : { tls: certificates.tls }),
    http2: certificates !== undefined && flags.http1 !== true,
    watch: true,
    allowedHosts,
    ...(lan === undefined ? {} : { ownHosts: lan.names }),
    ...(lan === undefined || caPem === undefined ? {} : { phone: { projectName, caPem } }),
    ...(flags.json ? {} : { env: { ...options.env, ...appColors(io) } }),
    logger,
  };
  const onReady = (server: RunningServer): readonly AsyncDisposable[] => {
    if (flags.open) {
      const message = noBrowserText(server.url);
      const onFailed = (): void => logger({ level: "warn", event: "no-browser", message });
      openBrowser(server.url, { platform: process.platform, onFailed });
    }
    const warnings = hostWarnings({
      host,
      url: server.url,
      isVouched: certificates !== undefined,
      publicAddresses: lan?.publicAddresses() ?? [],
      privateAddresses: listLanAddresses(),
    });
    queueMicrotask(() => warnings.forEach((warning) => logger(warning))); // for programs, `ready` comes first
    const started = { options: resolved, stamps };
    const apply = (next: ResolvedOptions): void => {
      allowedHosts = next.allowedHosts ?? [];
      server.applySettings({ ...next, allowedHosts });
    };
    const watch = new ConfigWatch({ root, started, read, apply, logger });
    const renewal = certificates?.renew(server, logger);
    const lanWatch =
      network &&
      new LanWatch({
        access: () => network.access(server.url),
        beforeTelling: renewal && (() => renewal.check()),
        logger,
      });
    return [watch, lanWatch, renewal].filter((companion) => companion !== undefined);
  };
  await runServer(serverOptions, { io, reporter, onReady });
}

async function resolveDevOptions(
  words: readonly string[],
  { flags, io, reading }: { flags: DevFlags; io: Io; reading: ConfigReading },
): Promise<ResolvedOptions> {
  if (words.length > 0 && flags.app !== undefined) {
    throw new ChanctlError("usage", "`--app` and a command after `--` exclude each other", {
      hint: "give one of them",
    });
  }
  const { root, config } = await loadProject(io.cwd, reading);
  return resolveOptions({
    flags: {
      port: flags.port,
      host: flags.host,
      "app.command": words.length > 0 ? joinShellWords(words, process.platform) : flags.app,
      "app.port": flags.appPort,
      internalHost: flags.internalHost,
      internalPort: flags.internalPort,
      ...toStreamSettings(flags),
    },
    env: io.env,
    config,
    root,
    cwd: io.cwd,
    defaults: { appCommand: await detectAppCommand(root, { env: io.env }) },
  });
}

import { planApp } from "../app/app-plan.ts";
import type { App } from "../app/app.ts";
import { remoteApp } from "../app/remote-app.ts";
import { Supervisor } from "../app/supervisor.ts";
import { pickFreePort } from "../platform/free-port.ts";
import { ChanctlError } from "../shared/errors.ts";
import { createExtraCa } from "./extra-ca.ts";
import type { AppOptions, ServerOptions } from "./options.ts";
import { readScripts } from "./package-manifest.ts";

/** What the app is told of its broker. */
export interface BrokerAddress {
  readonly url: string;
  readonly internalUrl: string;
  readonly token: string;
}

/** The app, and how to end it. One that runs elsewhere is not ours to end. */
export interface AppProcess {
  readonly app: App;
  /** The port at which it answers now; absent where it runs elsewhere. */
  readonly port?: () => number;
  /** The id of the app's process group; absent while it does not run. */
  readonly pid?: () => number | undefined;
  start(): void;
  /** Ends it, if it runs, and starts it again at once. */
  restart(): void;
  /** Its code was saved: another run takes over as soon as it can. */
  replace(): void;
  close(): Promise<void>;
  kill(): void;
}

/**
 * Prepares the user's app; `start` starts it.
 *
 * @throws {ChanctlError} `config_invalid` for an `app.url` that is no origin, and for a port that is chanctl's own.
 */
export async function prepareApp(
  app: AppOptions,
  options: ServerOptions,
  address: BrokerAddress,
): Promise<AppProcess> {
  if ("url" in app) {
    return {
      app: remoteApp(app.url),
      start: () => {},
      restart: () => {},
      replace: () => {},
      close: async () => {},
      kill: () => {},
    };
  }
  const { root, stateFolder, logger } = options;
  const plan = planApp(app.command, { folder: root, scriptsIn: readScripts });
  for (const own of [address.url, address.internalUrl]) assertNotOwn(app.port || plan.port, own);
  const port = app.port || (plan.port ?? (await pickFreePort()));
  const environment = appEnvironment(options, address);
  const supervisor = new Supervisor({
    ...plan,
    cwd: root,
    get env() {
      return environment(); // at each start: the files of certificates may be others by then
    },
    port,
    canMove: app.port === 0 && plan.port === undefined && !plan.isSingle,
    stateFolder,
    logger,
    ...(app.onOutput === undefined ? {} : { onOutput: app.onOutput }),
  });
  return {
    app: supervisor,
    port: () => supervisor.port,
    pid: () => supervisor.pid,
    start: () => supervisor.start(),
    restart: () => supervisor.restart(),
    replace: () => supervisor.replace(),
    close: () => supervisor.close(),
    kill: () => supervisor.kill(),
  };
}

/** The app could never have it, and whoever looks for its owner would be told to end chanctl. */
function assertNotOwn(port: number | undefined, url: string): void {
  if (port === undefined || String(port) !== new URL(url).port) return;
  throw new ChanctlError(
    "config_invalid",
    `the app must have a port of its own, got ${port}, which is chanctl's`,
    {
      hint: "leave --app-port and `app.port` out     chanctl picks one and passes it as `PORT`",
    },
  );
}

function appEnvironment(
  { env, tls, stateFolder, logger }: ServerOptions,
  { url, internalUrl, token }: BrokerAddress,
): () => NodeJS.ProcessEnv {
  const caPath = tls?.caPath;
  const given = env["NODE_EXTRA_CA_CERTS"];
  const extraCa = caPath === undefined ? undefined : createExtraCa({ caPath, given, stateFolder, logger });
  return () => ({
    ...env,
    HOST: "127.0.0.1",
    CHANCTL_URL: internalUrl,
    CHANCTL_TOKEN: token,
    CHANCTL_PUBLIC_URL: url,
    ...(extraCa === undefined ? {} : { NODE_EXTRA_CA_CERTS: extraCa() }),
  });
}

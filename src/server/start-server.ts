import { join } from "node:path";
import { endOrphans } from "../app/orphan.ts";
import { createAppProxy } from "../app/proxy.ts";
import { AppClient } from "../auth/app-client.ts";
import { Authorizer } from "../auth/authorizer.ts";
import { StreamTokens } from "../auth/stream-tokens.ts";
import { Broker } from "../broker/broker.ts";
import { readPackageVersion } from "../platform/package-version.ts";
import { readRunFile, removeRunFile, writeRunFile } from "../platform/run-file.ts";
import { Registry } from "../registry/registry.ts";
import { ChanctlError } from "../shared/errors.ts";
import { BodyBudget } from "../transports/body-budget.ts";
import { Connections } from "../transports/connections.ts";
import { HttpWebhookSender } from "../transports/durable-streams/webhook-sender.ts";
import { PublishRates } from "../transports/publish-rates.ts";
import { RefusalLog } from "../transports/refusal-log.ts";
import { toUrlAddress } from "./address-url.ts";
import { prepareApp } from "./app-process.ts";
import { toAppView } from "./app-view.ts";
import type { AppView } from "./app-view.ts";
import { bindInternal, bindPublic } from "./bind.ts";
import { listChannelStreams } from "./channel-streams.ts";
import type { ChannelStream } from "./channel-streams.ts";
import { warnOfHiddenStreams } from "./hidden-streams.ts";
import { ignoreStateFolder } from "./ignore-state-folder.ts";
import { InternalRoutes } from "./internal-routes.ts";
import { LiveSettings } from "./live-settings.ts";
import type { LiveOptions } from "./live-settings.ts";
import { Opened } from "./opened.ts";
import type { ServerOptions, TlsOptions } from "./options.ts";
import { PublicRoutes } from "./public-routes.ts";
import { applyChange } from "./reload.ts";
import { replaceOnSave } from "./replace-on-save.ts";
import { loadToken } from "./token-file.ts";

/** A server that runs. */
export interface RunningServer {
  /** Where clients connect; resolves in plain Node. */
  readonly url: string;
  /** Where the app and the operator talk to the broker, with the internal token; by address, never by name. */
  readonly internalUrl: string;
  readonly caPath?: string;
  /** The app, if we started it. */
  readonly app?: AppView;
  readonly registry: Registry;
  /** Under which path of `url` Durable Streams are served: `/ds`; absent if they are off. */
  readonly streamsPath?: string;
  /** The stored streams of a channel in the order of their paths, at most `limit`. */
  channelStreams(request: { readonly channel: string; readonly limit: number }): ChannelStream[];
  /** Resolves when the app listens; at once where none was started. Rejects with `app_failed` if it was given up. */
  whenAppReady(signal: AbortSignal): Promise<void>;
  /** Takes over the settings that a running server can; the others need a restart. */
  applySettings(settings: LiveOptions): void;
  /** Presents another certificate from the next handshake on. */
  setCertificate(tls: Pick<TlsOptions, "cert" | "key">): void;
  /** Sends everyone away, ends the app, commits what was accepted and frees everything. */
  close(): Promise<void>;
  /** Ends the app and every connection at once; what was acknowledged is on the disk already. */
  kill(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Requests under way at a shutdown may take this long. */
const DRAIN_MS = 2_000;
/** Those to the app in `dev`: an open page holds its HMR socket for as long as it can, and somebody waits at the prompt. */
const DEV_APP_DRAIN_MS = 200;

/**
 * Starts the whole: store, definitions, listeners, app. `dev`, `serve` and code that embeds the broker all start
 * it here: what runs on the laptop is what runs on the server.
 *
 * @throws {ChanctlError} `store_in_use`, `store_newer`, `store_invalid`, `port_in_use`, `cannot_listen`,
 *   `config_invalid`, `definition_invalid`. Nothing that was opened stays open.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const opened = new Opened();
  try {
    return await start(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function start(given: ServerOptions, opened: Opened): Promise<RunningServer> {
  const live = new LiveSettings(given);
  const options = { ...given, ...live.parts };
  const { stateFolder, logger, limits, tls, allowedOrigins } = options;
  const earlier = await readRunFile(stateFolder);
  const { durableStreams } = options;
  const webhookSender =
    durableStreams &&
    opened.add(
      new HttpWebhookSender({
        get allowsLoopback() {
          return durableStreams.publicWrites;
        },
      }),
    );
  // Beside the store: its child takes the longest of all. The store's error comes first, for it is awaited first.
  const registryOpening = openRegistry(options);
  // It may fail before anybody waits for it; who does then hears of it.
  registryOpening.catch(() => {});
  opened.add({ close: async () => (await registryOpening.catch(() => undefined))?.close() });
  const broker = opened.add(
    await Broker.open({
      folder: stateFolder,
      logger,
      holder: () => earlier,
      limits,
      webhookSender,
    }),
  );
  await ignoreStateFolder(stateFolder);
  // With the store's lock in hand no other chanctl runs here: an app that a killed one left behind can go.
  await endOrphans({ stateFolder, logger });
  const token = options.token ?? (await loadToken(stateFolder));
  const registry = opened.add(await registryOpening);
  if (!options.watch) assertAllValid(registry);
  const connections = opened.add(new Connections(limits));
  const refusals = opened.add(new RefusalLog(logger, registry));
  registry.onChange((change) => {
    applyChange({ connections, broker }, change);
    if (change.kind === "added") warnOfHiddenStreams({ broker, logger }, change.name);
  });
  // What was saved while no chanctl ran.
  for (const { name, definition } of registry.entries()) {
    if (definition === undefined) continue;
    broker.setLifecycle(name, definition.lifecycle);
    warnOfHiddenStreams({ broker, logger }, name);
  }

  const publicListener = await bindPublic(options);
  opened.add({ close: () => publicListener.close({ graceMs: DRAIN_MS }) });
  const internalListener = await bindInternal(options);
  opened.add({ close: () => internalListener.close({ graceMs: DRAIN_MS }) });
  const url = `${tls === undefined ? "http" : "https"}://${toUrlHost(options.host)}:${publicListener.port}`;
  const internalUrl = `http://${toUrlAddress(internalListener.address)}:${internalListener.port}`;

  const app = options.app && opened.add(await prepareApp(options.app, options, { url, internalUrl, token }));
  const proxy = app && opened.add(createAppProxy({ app: app.app, logger, showOutput: options.watch }));
  const client = opened.add(
    new AppClient({
      app: app?.app,
      token,
      get retryMs() {
        return live.authorizeRetryMs;
      },
    }),
  );
  const authorizer = opened.add(
    new Authorizer(client, {
      maxCalls: limits.maxAuthorizeCalls,
      maxWaiting: limits.maxConnections,
      get maxMessageBytes() {
        return limits.maxMessageBytes;
      },
      logger,
    }),
  );
  const context = {
    broker,
    registry,
    connections,
    publishRates: new PublishRates(limits),
    refusals,
    authorizer,
    tokens: await StreamTokens.open(options),
    limits,
    logger,
    allowedOrigins,
    ...(options.configName === undefined ? {} : { configName: options.configName }),
  };
  const clients = { ...context, audience: "public", bodies: new BodyBudget(limits) } as const;
  const unlimited = new BodyBudget({ maxBodyBytesTotal: Number.POSITIVE_INFINITY });
  const operator = { ...context, audience: "internal", bodies: unlimited } as const;
  publicListener.serve(new PublicRoutes(clients, { proxy, durableStreams, phone: options.phone }));
  internalListener.serve(new InternalRoutes(operator, { token, durableStreams, app: app?.app }));
  app?.start();
  if (app?.pid !== undefined && options.watch)
    opened.add({ close: replaceOnSave(registry, { app, logger }) });

  const caPath = tls?.caPath;
  const version = await readPackageVersion();
  await writeRunFile(stateFolder, {
    url,
    internalUrl,
    token,
    ...(caPath === undefined ? {} : { caPath }),
    pid: process.pid,
    version,
  });
  opened.add({ close: () => removeRunFile(stateFolder, { pid: process.pid }) });

  const close = async (): Promise<void> => {
    // Clients leave first, while the app can still publish and be asked; then the app, then its broker.
    connections.close();
    if (options.watch) proxy?.leave({ graceMs: DEV_APP_DRAIN_MS });
    await publicListener.close({ graceMs: DRAIN_MS });
    await opened.close();
  };
  const view = toAppView(app);
  return {
    url,
    internalUrl,
    ...(caPath === undefined ? {} : { caPath }),
    ...(view === undefined ? {} : { app: view }),
    registry,
    ...(durableStreams === undefined ? {} : { streamsPath: durableStreams.path }),
    channelStreams: (request) => listChannelStreams(broker.streams, request),
    whenAppReady: async (signal) => app?.app.waitUntilReady(signal),
    applySettings: (settings) => live.apply(settings),
    setCertificate: (renewed) => publicListener.setCertificate(renewed),
    close,
    [Symbol.asyncDispose]: close,
    kill: () => {
      app?.kill();
      publicListener.kill();
      internalListener.kill();
    },
  };
}

function openRegistry({
  root,
  stateFolder,
  channels,
  env,
  logger,
  watch,
  limits,
}: ServerOptions): Promise<Registry> {
  const cacheFolder = join(stateFolder, "definitions");
  return Registry.open({ root, folder: channels, cacheFolder, env, logger, watch, limits });
}

/** With a watch the last good definitions serve on; without one there are none, and half a set is no deploy. */
function assertAllValid(registry: Registry): void {
  const broken = registry.entries().filter(({ error }) => error !== undefined);
  if (broken.length === 0) return;
  const names = broken.map(({ name }) => `\`${name}\``).join(", ");
  throw new ChanctlError("definition_invalid", `these channels are invalid: ${names}`, {
    cause: broken[0]?.error,
    hint: "chanctl channel list     shows what is wrong",
  });
}

/** A name for browsers: an address that means "all addresses" is reached on the loopback. */
function toUrlHost(host: string): string {
  if (host === "0.0.0.0" || host === "127.0.0.1") return "localhost";
  if (host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

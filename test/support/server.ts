import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ServerOptions } from "#src/server/options.ts";
import { startServer } from "#src/server/start-server.ts";
import type { RunningServer } from "#src/server/start-server.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import type { Limits } from "#src/shared/limits.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { linkPackage } from "./link-package.ts";

/** A channel's definition as its JSON file has it, or the text of a TypeScript file. */
type DefinitionFile = Readonly<Record<string, unknown>> | string;

export interface TestServerOptions extends Partial<Omit<ServerOptions, "limits" | "channels">> {
  /** Definition files by channel name. */
  readonly channels?: Readonly<Record<string, DefinitionFile>>;
  readonly limits?: Partial<Limits>;
}

/** A real server in a project of its own, on ports of its own. Disposing of it removes the project. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly internalUrl: string;
  readonly token: string;
  readonly root: string;
  readonly running: RunningServer;
  readonly logged: readonly LogEntry[];
  /** Writes a definition file, as a developer saves it. */
  define(name: string, definition: DefinitionFile): void;
  /** Removes a channel's JSON file. */
  undefine(name: string): void;
  /** Asks the internal listener, with its token. */
  internal(path: string, init?: Partial<JsonPost>): Promise<Response>;
  /** Publishes as the app. `channel` is the name and the params: `chat?room=a`. */
  publish(channel: string, messages: unknown): Promise<string[]>;
}

const TOKEN = "the-token-of-the-tests";

/** Starts a server; plain HTTP and without an app unless the options say otherwise. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { channels = {}, limits, root = makeProject(), ...rest } = options;
  const logged: LogEntry[] = [];
  const define = (name: string, definition: DefinitionFile): void => {
    const isText = typeof definition === "string";
    const path = join(root, "channels", `${name}.${isText ? "ts" : "json"}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, isText ? definition : JSON.stringify(definition));
  };
  for (const [name, definition] of Object.entries(channels)) define(name, definition);
  const running = await startServer({
    root,
    channels: join(root, "channels"),
    stateFolder: join(root, ".chanctl"),
    host: "127.0.0.1",
    port: 0,
    http2: false,
    watch: false,
    internalHost: "127.0.0.1",
    token: TOKEN,
    allowedOrigins: [],
    authorizeRetryMs: 200,
    durableStreams: undefined,
    env: process.env,
    logger: (entry) => void logged.push(entry),
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...rest,
  });
  const internal = (path: string, init: Partial<JsonPost> = {}): Promise<Response> =>
    fetch(running.internalUrl + path, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...init.headers },
    });
  return {
    url: running.url,
    internalUrl: running.internalUrl,
    token: TOKEN,
    root,
    running,
    logged,
    define,
    undefine: (name) => rmSync(join(root, "channels", `${name}.json`)),
    internal,
    publish: async (channel, messages) => {
      const response = await internal(toMessagesPath(channel), jsonBody(messages));
      if (!response.ok) throw new Error(`the app's publish got ${response.status}: ${await response.text()}`);
      const { ids } = (await response.json()) as { ids: string[] };
      return ids;
    },
    [Symbol.asyncDispose]: async () => {
      await running.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A project folder without a channel, with chanctl installed as a link. Whoever makes it for two servers in a row removes it with the second. */
export function makeProject(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "chanctl-server-")));
  linkPackage(root);
  return root;
}

/** The path that messages of a channel are POSTed to: `chat?room=a` → `/channels/chat/messages?room=a`. */
export function toMessagesPath(channel: string): string {
  const [name, query] = channel.split("?");
  return `/channels/${name}/messages${query === undefined ? "" : `?${query}`}`;
}

/** A request with a JSON body, for `fetch` and `request` alike. */
export interface JsonPost {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A POST of JSON. A string is sent as it is. */
export function jsonBody(value: unknown, headers: Readonly<Record<string, string>> = {}): JsonPost {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof value === "string" ? value : JSON.stringify(value),
  };
}

/** A public channel that anyone may read and publish to, with a param `room`. */
export const PUBLIC_ROOMS = {
  transport: "ws",
  public: true,
  paramsSchema: { type: "object", properties: { room: { type: "string" } } },
} as const;

import type { DurableStreamsOptions } from "#src/transports/durable-streams/options.ts";
import { startTestServer } from "./server.ts";
import type { TestServer, TestServerOptions } from "./server.ts";

/** How the tests serve Durable Streams unless they say otherwise: nobody may do anything. */
export const CLOSED: DurableStreamsOptions = {
  path: "/ds",
  pollTimeoutMs: 100,
  sseTtlMs: 60_000,
  skipsAuthentication: false,
  publicStreams: false,
  publicWrites: false,
};

/** A server of Durable Streams. */
export interface StreamServer extends TestServer {
  /** The URL of a stream for clients: `jobs/1`, `chat/room=lobby?offset=-1`. */
  streamUrl(name: string): string;
  /** Asks as the app: over the internal listener, with its token. */
  asApp(name: string, init?: RequestInit): Promise<Response>;
}

interface StreamServerOptions extends Omit<TestServerOptions, "durableStreams"> {
  readonly streams?: Partial<DurableStreamsOptions>;
}

/** Starts a server of Durable Streams. */
export async function startStreamServer({ streams, ...options }: StreamServerOptions): Promise<StreamServer> {
  const durableStreams = { ...CLOSED, ...streams };
  const server = await startTestServer({ ...options, durableStreams });
  return {
    ...server,
    streamUrl: (name) => `${server.url}${durableStreams.path}/${name}`,
    asApp: (name, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("authorization", `Bearer ${server.token}`);
      return fetch(`${server.internalUrl}${durableStreams.path}/${name}`, { ...init, headers });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Makes a raw stream of text as the app. */
export async function createText(server: StreamServer, name: string, text = "hello"): Promise<void> {
  const headers = { "content-type": "text/plain" };
  const response = await server.asApp(name, { method: "PUT", headers, body: text });
  if (!response.ok) throw new Error(`the stream got ${response.status}: ${await response.text()}`);
}

/** The status of an answer and the code of its problem. Live answers are not waited for. */
export async function outcomeOf(response: Response): Promise<readonly [number, string?]> {
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  if (!isProblem || response.body === null) {
    await response.body?.cancel();
    return [response.status];
  }
  const { code } = (await response.json()) as { code: string };
  return [response.status, code];
}

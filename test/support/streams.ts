import type { DurableStreamsOptions } from "#src/transports/durable-streams/options.ts";
import { OPEN_STREAMS } from "./durable-streams.ts";
import { startTestServer } from "./server.ts";
import type { TestServer, TestServerOptions } from "./server.ts";

/** A long-poll that a test can wait for. */
const QUICK_POLL_MS = 300;

/** Longer than any test: what must be answered before is answered for another reason. */
export const LONG_POLL_MS = 120_000;

export interface StreamServerOptions extends Omit<TestServerOptions, "durableStreams"> {
  /** What differs from streams that anyone may read and write. */
  readonly streams?: Partial<DurableStreamsOptions>;
}

/** A server with open streams, and somebody who uses them. */
export interface StreamServer extends TestServer {
  readonly user: StreamUser;
}

/** Starts a server with streams that anyone may read and write. */
export async function startStreamServer({
  streams,
  ...options
}: StreamServerOptions = {}): Promise<StreamServer> {
  const durableStreams = { ...OPEN_STREAMS, pollTimeoutMs: QUICK_POLL_MS, ...streams };
  const server = await startTestServer({ ...options, durableStreams });
  return { ...server, user: streamUser(server.url + durableStreams.path) };
}

/** What is sent with a request. */
export interface StreamRequest {
  /** The content type; none is sent for an empty one. @default text/plain */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Somebody who uses streams by plain HTTP: `name` is the path below the mount, with its query. */
export interface StreamUser {
  url(name: string): string;
  put(name: string, request?: StreamRequest): Promise<Response>;
  post(name: string, request?: StreamRequest): Promise<Response>;
  get(name: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  head(name: string): Promise<Response>;
  delete(name: string): Promise<Response>;
}

/** @param send how requests are sent. @default fetch */
export function streamUser(base: string, send: typeof fetch = fetch): StreamUser {
  const url = (name: string): string => `${base}/${name}`;
  const write =
    (method: string) =>
    (name: string, { type = "text/plain", headers = {}, body }: StreamRequest = {}): Promise<Response> =>
      send(url(name), {
        method,
        headers: { ...(type === "" ? {} : { "content-type": type }), ...headers },
        ...(body === undefined ? {} : { body }),
      });
  return {
    url,
    put: write("PUT"),
    post: write("POST"),
    get: (name, headers = {}) => send(url(name), { headers }),
    head: (name) => send(url(name), { method: "HEAD" }),
    delete: (name) => send(url(name), { method: "DELETE" }),
  };
}

/** The headers of an append of an idempotent producer. */
export function producerHeaders(id: string, epoch: number, seq: number): Record<string, string> {
  return { "producer-id": id, "producer-epoch": String(epoch), "producer-seq": String(seq) };
}

/** Where an answer says that reading goes on. */
export function nextOffset(response: Response): string {
  const offset = response.headers.get("stream-next-offset");
  if (offset === null) throw new Error(`${response.status} without a \`Stream-Next-Offset\``);
  return offset;
}

/** All bytes from an offset to the tail, chunk by chunk. */
export async function readToTail(user: StreamUser, name: string, offset = "-1"): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for (let from = offset; ;) {
    const response = await user.get(`${name}?offset=${from}`);
    const chunk = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${response.status}: ${chunk.toString()}`);
    chunks.push(chunk);
    from = nextOffset(response);
    if (response.headers.get("stream-up-to-date") === "true") return chunks;
  }
}

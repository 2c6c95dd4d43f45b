import type { PublicJwk } from "#src/broker/signing-key.ts";
import type { DurableStreamsOptions } from "#src/transports/durable-streams/options.ts";

/** Durable Streams at `/ds` that anyone may read and write, as on a trusted network. */
export const OPEN_STREAMS: DurableStreamsOptions = {
  path: "/ds",
  pollTimeoutMs: 10_000,
  sseTtlMs: 60_000,
  skipsAuthentication: false,
  publicStreams: true,
  publicWrites: true,
};

/** The streams and subscriptions of a server, for tests. */
export interface StreamsClient {
  /** PUT of a JSON stream. */
  readonly create: (path: string, body?: string) => Promise<void>;
  /** POST of JSON. */
  readonly append: (path: string, value: unknown) => Promise<void>;
  /** DELETE of a stream. */
  readonly remove: (path: string) => Promise<void>;
  /** All messages of a stream. */
  readonly read: (path: string) => Promise<unknown[]>;
  /** The offset of a stream's tail. */
  readonly tail: (path: string) => Promise<string>;
  /** Asks under `__ds`. A body that is no text is sent as JSON. */
  readonly control: (method: string, path: string, options?: ControlOptions) => Promise<ControlAnswer>;
}

export interface ControlOptions {
  readonly body?: unknown;
  readonly token?: string;
}

/** What any of the answers may hold; which of it is there depends on what was asked. */
export interface ControlBody {
  readonly token: string;
  readonly wake_id: string;
  readonly generation: number;
  readonly status: string;
  readonly streams: readonly {
    readonly path: string;
    readonly link_type: string;
    readonly acked_offset: string;
    readonly tail_offset: string;
    readonly has_pending: boolean;
  }[];
  readonly webhook: {
    readonly url: string;
    readonly signing: { readonly alg: string; readonly kid: string; readonly jwks_url: string };
  };
  readonly keys: readonly PublicJwk[];
  readonly error: { readonly code: string; readonly message: string; readonly field?: string };
}

export interface ControlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ControlBody;
}

/** A client of the streams at a mount: `http://127.0.0.1:1234/ds`. */
export function streamsOf(mount: string): StreamsClient {
  const json = { "content-type": "application/json" };
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(`${mount}/${path}`, init);
    if (!response.ok)
      throw new Error(`${init.method} ${path} got ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    create: async (path, body) =>
      void (await send(path, { method: "PUT", headers: json, ...(body === undefined ? {} : { body }) })),
    append: async (path, value) =>
      void (await send(path, { method: "POST", headers: json, body: JSON.stringify(value) })),
    remove: async (path) => void (await send(path, { method: "DELETE" })),
    read: async (path) => (await (await send(path, { method: "GET" })).json()) as unknown[],
    tail: async (path) =>
      (await send(path, { method: "HEAD" })).headers.get("stream-next-offset") ?? "no offset",
    control: async (method, path, { body, token } = {}) => {
      const response = await fetch(`${mount}/__ds/${path}`, {
        method,
        headers: { ...json, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const { status, headers } = response;
      return { status, headers, body: (text === "" ? {} : JSON.parse(text)) as ControlBody };
    },
  };
}

import type { RunningTarget, Target } from "./target.ts";

const PATH = "/bench";

/** The reference server with its store in files, which it syncs before it answers. */
export const durableStreamsFile: Target = {
  name: "durable-streams (file)",
  packageName: "@durable-streams/server",
  start: (folder) => start({ dataDir: folder }),
};

/** The reference server with its store in memory. */
export const durableStreamsMemory: Target = {
  name: "durable-streams (memory)",
  packageName: "@durable-streams/server",
  start: () => start({}),
};

async function start(store: { readonly dataDir?: string }): Promise<RunningTarget> {
  const { DurableStreamTestServer } = await import("@durable-streams/server");
  const server = new DurableStreamTestServer({ port: 0, host: "127.0.0.1", compression: false, ...store });
  const url = (await server.start()) + PATH;
  const created = await fetch(url, { method: "PUT", headers: { "content-type": "application/json" } });
  if (!created.ok) throw new Error(`expected the stream to be created, got ${created.status}`);
  const resume = { idText: '"streamNextOffset":"', idBytes: 33, parameter: "offset" };
  return {
    endpoints: {
      append: { kind: "post", url },
      liveSse: { kind: "sse", url: `${url}?live=sse&offset=now`, readyText: "event: control", resume },
      replay: { kind: "sse", url: `${url}?live=sse&offset=-1` },
    },
    // Its `stop` writes to subscribers that are gone and so ends the process with an error; the exit frees the same.
    close: async () => {},
  };
}

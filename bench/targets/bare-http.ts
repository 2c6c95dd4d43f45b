import { createServer } from "node:http";
import { closeServer, listenAnywhere } from "./http-server.ts";
import type { RunningTarget, Target } from "./target.ts";

/** A floor: `node:http` that reads a request's body and answers 200, storing nothing. */
export const bareHttp: Target = { name: "empty node:http", start };

async function start(): Promise<RunningTarget> {
  const http = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  const port = await listenAnywhere(http);
  return {
    endpoints: { append: { kind: "post", url: `http://127.0.0.1:${port}/` } },
    close: () => closeServer(http),
  };
}

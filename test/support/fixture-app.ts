import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server of a test's own on a free loopback port. */
export interface FixtureApp extends AsyncDisposable {
  readonly url: string;
}

/** What a fixture app does with a request. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Starts a real `node:http` server with this listener. */
export async function startFixtureApp(listener: Listener, port = 0): Promise<FixtureApp> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A network between a client and a server, that can be cut. */
export interface Cuttable {
  readonly url: string;
  /** How often something came from the server. */
  readonly carried: () => number;
  /** Cuts all connections; new ones go through. */
  readonly cut: () => void;
  /** What is sent from now on gets lost, on these connections; nobody is told. */
  readonly freeze: () => void;
}

/** Puts a network before a server, for as long as the test lasts. */
export async function startCuttable(target: string): Promise<Cuttable> {
  const { port, hostname } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let carried = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    upstream.on("data", () => (carried += 1));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const [client] of pairs) client.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    carried: () => carried,
    cut,
    freeze: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream).resume();
        upstream.unpipe(client).resume();
      }
    },
  };
}

import { once } from "node:events";
import { createServer } from "node:https";

import type { KeyPair } from "../key-pair.ts";
import { makeLeaf } from "../make-leaf.ts";
import type { Machine } from "./machine.ts";
import type { Verdict } from "./system-store.ts";

/**
 * Asks a TLS client of the system, with the system's own store, to talk to a server of this CA: a server for
 * that moment, on a free loopback port, with a leaf that is kept nowhere.
 *
 * @returns `undefined` where the system has neither curl nor openssl.
 */
export async function askSystemClient(authority: KeyPair, machine: Machine): Promise<Verdict | undefined> {
  const client = systemClient(machine);
  if (client === undefined) return undefined;
  const leaf = await makeLeaf({
    commonName: "localhost",
    hosts: ["localhost", "127.0.0.1"],
    authority,
    now: Date.now(),
  });
  const server = createServer({ cert: leaf.chainPem, key: leaf.keyPem }, (_, response) => response.end("ok"));
  server.on("tlsClientError", () => {}); // the client says why it refused
  server.listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string")
      throw new Error("the server of a handshake has no port");
    const { code, stderr } = await machine.run(client.command(address.port));
    if (code === 0) return { by: client.name };
    return { by: client.name, refusal: stderr.trim().split("\n").at(-1) || `exit code ${code}` };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface SystemClient {
  readonly name: string;
  command(port: number): readonly string[];
}

/** Not just any on the PATH: one of conda, nix or Homebrew reads a store of its own. */
function systemClient({ files }: Machine): SystemClient | undefined {
  const [curl, openssl] = ["/usr/bin/curl", "/usr/bin/openssl"];
  if (files.exists(curl)) {
    const options = ["-q", "-sS", "--noproxy", "*", "--max-time", "10", "-o", "/dev/null"];
    return { name: "curl", command: (port) => [curl, ...options, `https://127.0.0.1:${port}/`] };
  }
  if (!files.exists(openssl)) return undefined;
  const checks = ["-verify_return_error", "-verify_hostname", "localhost", "-servername", "localhost"];
  return {
    name: "openssl",
    command: (port) => [
      openssl,
      "s_client",
      ...checks,
      "-connect",
      `127.0.0.1:${port}`,
      "-quiet",
      "-no_ign_eof",
    ],
  };
}

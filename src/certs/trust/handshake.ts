import { once } from "node:events";
import { createServer } from "node:https";

import type { KeyPair } from "../key-pair.ts";
import { makeLeaf } from "../make-leaf.ts";
import type { CommandResult, Machine } from "./machine.ts";
import { findProgram } from "./programs.ts";
import { lastWordsOf } from "./trust-failed.ts";
import type { Verdict } from "./verdict.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Asks a TLS client of the system, with the system's own store, to talk to a server of this CA: a server for
 * that moment, on a free loopback port, with a leaf that is kept nowhere.
 *
 * @returns `undefined` where the system has neither curl nor openssl.
 */
export async function askSystemClient(authority: KeyPair, machine: Machine): Promise<Verdict | undefined> {
  const client = systemClient(machine);
  return client === undefined ? undefined : ask(client, { authority, machine });
}

/**
 * Asks `tstclnt`, which comes with `certutil`, to talk to such a server with the NSS database of a folder.
 *
 * @returns `undefined` where it is not installed, or did not come as far as the certificate.
 */
export async function askNssClient(
  authority: KeyPair,
  { folder, machine }: { readonly folder: string; readonly machine: Machine },
): Promise<Verdict | undefined> {
  const tstclnt = findProgram("tstclnt", machine);
  if (tstclnt === undefined) return undefined;
  const database = ["-d", `sql:${folder}`, "-w", ""]; // an empty password: it would ask for one on the terminal
  const client: Client = {
    name: "tstclnt",
    refusalCode: 254,
    command: (port) => [tstclnt, ...database, "-4", "-h", "localhost", "-p", String(port), "-Q"],
  };
  return ask(client, { authority, machine });
}

/**
 * Asks a Java to talk to such a server, trusting what a file of CAs holds.
 *
 * `keytool` fetches a revocation list from an address, as any Java program would, and comes with every Java; a
 * program of our own would take a JDK to compile it. That there is no list is no matter.
 *
 * @returns `undefined` where that Java did not come as far as the certificate.
 */
export async function askJavaClient(
  authority: KeyPair,
  {
    cacerts,
    keytool,
    machine,
  }: { readonly cacerts: string; readonly keytool: string; readonly machine: Machine },
): Promise<Verdict | undefined> {
  const options = ["-J-Duser.language=en", `-J-Djavax.net.ssl.trustStore=${cacerts}`];
  const client: Client = {
    name: "java",
    isJudgedByServer: true,
    command: (port) => [keytool, "-printcrl", "-file", `https://127.0.0.1:${port}/`, ...options],
  };
  return ask(client, { authority, machine });
}

async function ask(
  client: Client,
  { authority, machine }: { readonly authority: KeyPair; readonly machine: Machine },
): Promise<Verdict | undefined> {
  const leaf = await makeLeaf({
    commonName: "localhost",
    hosts: ["localhost", "127.0.0.1"],
    authority,
    now: Date.now(),
  });
  const seen = { isAccepted: false, isRefused: false };
  const server = createServer({ cert: leaf.chainPem, key: leaf.keyPem }, (_, response) => {
    seen.isAccepted = true;
    response.end("ok");
  });
  server.on("tlsClientError", () => (seen.isRefused = true)); // the client says why
  server.listen(0, "127.0.0.1");
  let result: CommandResult;
  try {
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string")
      throw new Error("the server of a handshake has no port");
    result = await machine.run(client.command(address.port), { timeoutMs: HANDSHAKE_TIMEOUT_MS });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  await once(server, "close"); // an alert may still be on its way when the client has ended
  const { isAccepted, isRefused } = client.isJudgedByServer ? seen : judge(result.code, client);
  if (isAccepted) return { by: client.name };
  return isRefused ? { by: client.name, refusal: lastWordsOf(result) } : undefined;
}

/** What an exit code says. */
function judge(code: number, { refusalCode = code }: Pick<Client, "refusalCode">) {
  return { isAccepted: code === 0, isRefused: code === refusalCode };
}

interface Client {
  readonly name: string;
  /** Its exit code says nothing, but that it sent a request or an alert does. */
  readonly isJudgedByServer?: true;
  /** The exit code of a certificate that is refused, where it has one of its own. */
  readonly refusalCode?: number;
  command(port: number): readonly string[];
}

/** Not just any on the PATH: one of conda, nix or Homebrew reads a store of its own. */
function systemClient({ files }: Machine): Client | undefined {
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

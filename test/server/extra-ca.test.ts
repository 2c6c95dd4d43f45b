import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { Server } from "node:https";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createExtraCa } from "#src/server/extra-ca.ts";
import type { LogEntry } from "#src/shared/logger.ts";
import { startDev } from "../commands/dev-project.ts";
import type { StartedServer } from "../commands/dev-project.ts";
import { makeProject } from "../commands/temp-project.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Says whom it trusts, once it answers: a server of the company, and the one before it. */
const APP = `
import { createServer } from "node:http";
const ask = (url) => fetch(url).then(({ status }) => status, ({ cause }) => cause.code);
createServer((request, response) => response.end()).listen(process.env.PORT, "127.0.0.1", async () => {
  const { NODE_EXTRA_CA_CERTS: path, CORP_URL, CHANCTL_PUBLIC_URL } = process.env;
  console.log(JSON.stringify({ path, corp: await ask(CORP_URL), own: await ask(CHANCTL_PUBLIC_URL) }));
});`;

interface Trusted {
  readonly path: string;
  /** The status of an answer, or the code of an error. */
  readonly corp: number | string;
  readonly own: number | string;
}

/** A server whose CA chanctl knows nothing of. */
async function startCorp({ tls }: TestCertificates): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer(tls, (_, response) => response.end());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const dispose = async (): Promise<void> => server.close().closeAllConnections();
  return { url: `https://localhost:${address.port}/`, [Symbol.asyncDispose]: dispose };
}

/** What each run of the app has said so far. */
function trustedBy({ cli }: StartedServer): readonly Trusted[] {
  return cli.lines
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === "app-output")
    .map(({ text }) => JSON.parse(text));
}

const DEV = ["dev", "--no-trust", "--app", "node app.js"];

describe("the app's NODE_EXTRA_CA_CERTS", () => {
  it("has the CA and the user's own certificates, in a file that nobody else reads", async () => {
    await using certificates = await makeTestCertificates();
    await using corp = await startCorp(certificates);
    await using project = await makeProject({ "app.js": APP, "corp.pem": certificates.caPem });
    const env = { CORP_URL: corp.url, NODE_EXTRA_CA_CERTS: join(project.root, "corp.pem") };
    await using dev = await startDev(project, { command: DEV, env });
    await dev.cli.until(() => trustedBy(dev).length > 0);
    const path = join(project.root, ".chanctl/extra-ca.pem");
    expect(trustedBy(dev)).toEqual([{ path, corp: 200, own: 200 }]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("has at the next start of the app what the user's file has by then", async () => {
    await using certificates = await makeTestCertificates();
    await using corp = await startCorp(certificates);
    await using project = await makeProject({ "app.js": APP, "corp.pem": "" });
    const env = { CORP_URL: corp.url, NODE_EXTRA_CA_CERTS: join(project.root, "corp.pem") };
    await using dev = await startDev(project, { command: DEV, env });
    const ready = (): number | undefined =>
      dev.cli.lines.map((line) => JSON.parse(line)).find(({ event }) => event === "app-ready")?.pid;
    await dev.cli.until(() => trustedBy(dev).length > 0 && ready() !== undefined);
    expect(trustedBy(dev)).toEqual([{ path: dev.ready.caPath, corp: "SELF_SIGNED_CERT_IN_CHAIN", own: 200 }]);
    await project.write({ "corp.pem": certificates.caPem });
    process.kill(-(ready() ?? Number.NaN), "SIGKILL"); // it is started again
    await dev.cli.until(() => trustedBy(dev).length > 1);
    expect(trustedBy(dev)[1]).toMatchObject({ corp: 200, own: 200 });
    expect(dev.cli.lines.filter((line) => line.includes('"extra-ca"'))).toHaveLength(1);
  });
});

describe("createExtraCa", () => {
  /** A user's file with this text, and what is made of it. */
  async function setUp(text: string) {
    const folder = temporaryFolder();
    const log: LogEntry[] = [];
    const [caPath, given] = [join(folder, "ca.pem"), join(folder, "corp.pem")];
    await writeFile(caPath, toPem("own"));
    await writeFile(given, text);
    const logger = (entry: LogEntry): void => void log.push(entry);
    const extraCa = createExtraCa({ caPath, given, stateFolder: folder, logger });
    return { folder, caPath, given, log, extraCa, bothPath: join(folder, "extra-ca.pem") };
  }

  it("leaves out private keys, and what the two have in common", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    const { extraCa, bothPath } = await setUp(
      `# corp\r\n${toPem("own")}${key}${toPem("corp").replaceAll("\n", "\r\n")}`,
    );
    expect(extraCa()).toBe(bothPath);
    expect(await readFile(bothPath, "utf8")).toBe(toPem("own") + toPem("corp"));
  });

  it("is the CA's own file where the user's has nothing else", async () => {
    const { extraCa, caPath, log } = await setUp(toPem("own"));
    expect(extraCa()).toBe(caPath);
    expect(log).toEqual([]);
  });

  it("makes the file anew when the CA is another", async () => {
    const { extraCa, caPath, bothPath } = await setUp(toPem("corp"));
    extraCa();
    await writeFile(caPath, toPem("other"));
    extraCa();
    expect(await readFile(bothPath, "utf8")).toBe(toPem("other") + toPem("corp"));
  });

  it("warns once of a file that is not there, holds none or is a folder, and gives the CA alone", async () => {
    const { extraCa, caPath, given, log, folder } = await setUp("DER");
    expect([extraCa(), extraCa()]).toEqual([caPath, caPath]);
    await rm(given);
    expect([extraCa(), extraCa()]).toEqual([caPath, caPath]);
    const stateFolder = folder;
    createExtraCa({ caPath, given: folder, stateFolder, logger: (entry) => void log.push(entry) })();
    const told = (path: string, problem: string) =>
      `\`NODE_EXTRA_CA_CERTS\` must name a file of certificates in PEM, got ${path}, which ${problem}: the app is given chanctl's CA alone`;
    expect(log.map(({ message }) => message)).toEqual([
      told(given, "holds none"),
      told(given, "is not there"),
      told(folder, "is no file"),
    ]);
    expect(log[0]?.fields?.["hint"]).toContain("unset NODE_EXTRA_CA_CERTS     ");
  });

  it("gives the CA alone where the file cannot be written", async () => {
    const { caPath, given, folder } = await setUp(toPem("corp"));
    const log: LogEntry[] = [];
    const stateFolder = join(folder, "gone");
    const extraCa = createExtraCa({ caPath, given, stateFolder, logger: (entry) => void log.push(entry) });
    expect(extraCa()).toBe(caPath);
    expect(log[0]?.message).toContain(`${join(stateFolder, "extra-ca.pem")} cannot be made (ENOENT`);
  });
});

function toPem(name: string): string {
  const text = Buffer.from(name).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

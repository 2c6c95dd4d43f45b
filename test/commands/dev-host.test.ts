import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { listPublicAddresses } from "#src/platform/lan-address.ts";
import { PATIENT } from "../support/patient.ts";
import { startDev } from "./dev-project.ts";
import { makeProject } from "./temp-project.ts";

interface Answered {
  readonly status: number | undefined;
  readonly location: string | undefined;
}

/** Asks in the clear, as a phone does that has scanned the QR code. */
async function ask(url: string, { path, host }: { path: string; host?: string }): Promise<Answered> {
  const { port } = new URL(url);
  const headers = { host: host ?? `127.0.0.1:${port}` };
  const [response] = await once(
    request({ host: "127.0.0.1", port, path, headers, agent: false }).end(),
    "response",
  );
  response.resume();
  return { status: response.statusCode, location: response.headers.location };
}

/** Whether a port takes connections at an address of this machine that others reach. */
async function isOpenAt(address: string, port: number): Promise<boolean> {
  const socket = connect({ host: address, port });
  const isOpen = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}

const OUTER = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry !== undefined && !entry.internal && entry.family === "IPv4")?.address;

describe("chanctl dev", () => {
  it("is for this machine only where nothing else is said: no other address, no phone's page", async () => {
    await using project = await makeProject();
    await using dev = await startDev(project, { command: ["dev"] });
    expect((await ask(dev.ready.url, { path: "/_chanctl/phone" })).status).toBe(307);
    expect((await ask(dev.ready.url, { path: "/", host: "evil.test" })).status).toBe(403);
    if (OUTER !== undefined) expect(await isOpenAt(OUTER, Number(new URL(dev.ready.url).port))).toBe(false);
  });

  it.each([
    ["`--host`", ["dev", "--host"], {}],
    ["`--host` before an app", ["dev", "--host", "--", "node", "-e", "setInterval(() => {}, 1000)"], {}],
    ["`host: true`", ["dev"], { "chanctl.config.json": '{"host":true}' }],
  ] as const)(
    "%s opens it to the network, with a page for phones in the clear",
    async (_, command, files) => {
      await using project = await makeProject(files);
      await using dev = await startDev(project, { command });
      expect(dev.ready.url).toMatch(/^https:\/\/localhost:/);
      expect((await ask(dev.ready.url, { path: "/_chanctl/phone" })).status).toBe(200);
      expect(await ask(dev.ready.url, { path: "/x" })).toMatchObject({
        status: 307,
        location: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/x$/),
      });
      expect((await ask(dev.ready.url, { path: "/_chanctl/phone", host: "evil.test" })).status).toBe(403);
      if (OUTER !== undefined) expect(await isOpenAt(OUTER, Number(new URL(dev.ready.url).port))).toBe(true);
    },
  );

  it("warns of each address of `--host` that is not private, after `ready`, with TLS and without", async () => {
    const open = listPublicAddresses().filter(({ family }) => family === "IPv4");
    await using project = await makeProject();
    for (const flags of [[], ["--no-tls"]]) {
      await using dev = await startDev(project, { command: ["dev", "--host", ...flags] });
      const warned = (): readonly unknown[] => dev.cli.lines.map((line) => JSON.parse(line));
      const warning = expect.objectContaining({
        event: "host-public",
        addresses: open.map(({ address }) => address),
      });
      if (open.length === 0)
        expect(warned()).not.toContainEqual(expect.objectContaining({ event: "host-public" }));
      else await expect.poll(warned, PATIENT).toContainEqual(warning);
    }
  });

  it.skipIf(process.platform !== "linux")("has a certificate for the address that it is told", async () => {
    // Only Linux has all of 127.0.0.0/8 at once.
    await using project = await makeProject();
    await using dev = await startDev(project, { command: ["dev", "--host", "127.0.0.2"] });
    const { hostname, port } = new URL(dev.ready.url);
    expect(hostname).toBe("127.0.0.2");
    const ca = await readFile(dev.ready.caPath ?? "", "utf8");
    const socket = connectTls({ host: hostname, port: Number(port), ca });
    await once(socket, "secureConnect"); // rejects with what is wrong with the certificate
    socket.destroy();
  });

  it("lets in a name as soon as `allowedHosts` is saved, with a certificate for it, and out again", async () => {
    const config = (text: string) => ({ "chanctl.config.json": text });
    await using project = await makeProject(config("{}"));
    await using dev = await startDev(project, { command: ["dev"] });
    const { port } = new URL(dev.ready.url);
    const ca = await readFile(dev.ready.caPath ?? "", "utf8");
    const statusOf = async (host: string): Promise<number | undefined> =>
      (await ask(dev.ready.url, { path: "/", host })).status;
    expect(await statusOf("shop.test")).toBe(403);
    await project.write(config('{"allowedHosts":["shop.test"]}'));
    await expect.poll(() => statusOf("shop.test"), PATIENT).toBe(307);
    const isTrusted = (): Promise<boolean> => {
      const socket = connectTls({ host: "127.0.0.1", port: Number(port), ca, servername: "shop.test" });
      return once(socket, "secureConnect").then(
        () => (socket.destroy(), true),
        () => false,
      );
    };
    await expect.poll(isTrusted, PATIENT).toBe(true);
    await project.write(config("{}"));
    await expect.poll(() => statusOf("shop.test"), PATIENT).toBe(403);
  });

  it("takes the names of `allowedHosts`", async () => {
    await using project = await makeProject({ "chanctl.config.json": '{"allowedHosts":[".shop.test"]}' });
    await using dev = await startDev(project);
    const statusOf = async (host: string) => (await ask(dev.ready.url, { path: "/", host })).status;
    expect(await statusOf("a.shop.test")).toBe(404); // let in: there is no app
    expect(await statusOf("evil.test")).toBe(403);
  });
});

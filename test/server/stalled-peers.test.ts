import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { StalledPeers } from "#src/server/stalled-peers.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import { startHttp2Reader } from "../support/http2-reader.ts";
import { PATIENT } from "../support/patient.ts";
import { dial, dialTls } from "../support/raw-connection.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const CHUNK = Buffer.alloc(65_536);
const LOOK_MS = 30_000;

afterEach(() => void vi.useRealTimers());

/** A connection of the loopback, both ends of it. */
async function pair(): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const theirs = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [ours] = (await once(server, "connection")) as [Socket];
  server.close();
  for (const socket of [ours, theirs]) socket.on("error", () => {});
  onTestFinished(() => [ours, theirs].forEach((socket) => void socket.destroy()));
  return { ours, theirs };
}

/** Asks for an answer that it then does not read. */
async function askAndStop(
  version: string,
  { server, ca }: { server: TestServer; ca: string },
): Promise<void> {
  if (version === "HTTP/2") {
    const reader = await startHttp2Reader(server, { path: "/big", ca });
    reader.kill("SIGSTOP");
    return;
  }
  const socket = version === "HTTP/1.1" ? await dial(server) : await dialTls(server, { ca });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {}).write("GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n");
}

/** Writes until the kernel takes no more. */
function fill(socket: Socket): void {
  while (socket.writableLength < 4 * CHUNK.length) socket.write(CHUNK);
}

describe("whoever takes nothing of what waits for them", () => {
  it("is cut off after ten looks, and nobody else is", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const peers = new StalledPeers();
    const [stuck, slow, idle] = [await pair(), await pair(), await pair()];
    for (const { ours } of [stuck, slow, idle]) peers.watch(ours);
    for (const { theirs } of [stuck, slow, idle]) theirs.pause();
    for (const { ours } of [stuck, slow]) fill(ours);
    const isCut = (): boolean[] => [stuck, slow, idle].map(({ ours }) => ours.destroyed);
    vi.advanceTimersByTime(10 * LOOK_MS);
    expect(isCut()).toEqual([false, false, false]);
    slow.theirs.resume();
    await once(slow.ours, "drain");
    slow.theirs.pause();
    fill(slow.ours);
    vi.advanceTimersByTime(10 * LOOK_MS);
    expect(isCut()).toEqual([true, false, false]);
  });

  it.each(["HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2"])(
    "loses the answer of the app, over %s",
    async (version) => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      await using certificates = await makeTestCertificates();
      const answering = new Set<ServerResponse>();
      let written = 0;
      await using app = await startFixtureApp((_request, response) => {
        answering.add(response);
        response.once("close", () => answering.delete(response));
        const write = (): void => {
          do written += CHUNK.length;
          while (response.write(CHUNK));
        };
        response.on("drain", write);
        write();
      });
      const tls = version === "HTTP/1.1" ? {} : { tls: certificates.tls, http2: true };
      await using server = await startTestServer({ app: { url: app.url }, ...tls });
      await askAndStop(version, { server, ca: certificates.caPem });
      let last = -1;
      const step = (): number => {
        const more = written - last;
        last = written;
        return more;
      };
      await expect.poll(step, { interval: 500, timeout: 20_000 }).toBe(0); // until all buffers are full
      vi.advanceTimersByTime(10 * LOOK_MS);
      expect(answering.size).toBe(1);
      vi.advanceTimersByTime(LOOK_MS);
      await expect.poll(() => answering.size, PATIENT).toBe(0);
    },
  );
});

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { kill } from "../support/child.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import type { FixtureApp } from "../support/fixture-app.ts";
import { startHttp2Reader } from "../support/http2-reader.ts";
import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const MIB = 1_048_576;
const CHUNK = Buffer.alloc(65_536);
/** More than the sockets of all three take together. */
const BIG_BYTES = 128 * MIB;
const BATCH = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(50_000) }));
const BATCHES = 60;

let certificates: TestCertificates;
let app: FixtureApp;
let server: TestServer;
/** What the app has been asked for and has not been told to stop. */
const answering = new Set<ServerResponse>();
let written = 0;

beforeAll(async () => {
  certificates = await makeTestCertificates();
  app = await startFixtureApp((_request, response) => {
    answering.add(response);
    response.once("close", () => answering.delete(response));
    let left = BIG_BYTES;
    const write = (): void => {
      while (left > 0) {
        left -= CHUNK.length;
        written += CHUNK.length;
        if (!response.write(CHUNK)) return;
      }
      response.end();
    };
    response.on("drain", write);
    write();
  });
  server = await startTestServer({
    app: { url: app.url },
    channels: { news: { transport: "sse", public: true } },
    tls: certificates.tls,
    http2: true,
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

/** Starts a client of its own process that reads `path`; it reads when this resolves. */
function startReader(path: string): Promise<ChildProcess> {
  return startHttp2Reader(server, { path, ca: certificates.caPem });
}

/** Waits until the app cannot write any more, for nobody takes it. */
async function appHeldUp(): Promise<void> {
  let last = -1;
  const step = (): number => {
    const more = written - last;
    last = written;
    return more;
  };
  await expect.poll(step, { interval: 500, timeout: 20_000 }).toBe(0);
}

describe("an HTTP/2 client that falls behind", () => {
  it("and dies: what it asked of the app is called off", async () => {
    const readers = await Promise.all(Array.from({ length: 3 }, () => startReader("/big")));
    for (const reader of readers) reader.kill("SIGSTOP");
    await appHeldUp();
    expect(answering.size).toBe(readers.length);
    await Promise.all(readers.map(kill));
    await expect.poll(() => answering.size, PATIENT).toBe(0);
  });

  it("and dies: its subscription ends", async () => {
    const count = (event: string): number => server.logged.filter((entry) => entry.event === event).length;
    const before = count("disconnect");
    const readers = await Promise.all(
      Array.from({ length: 3 }, () => startReader("/channels/news?rewind=0")),
    );
    for (const reader of readers) reader.kill("SIGSTOP");
    for (let batch = 0; batch < BATCHES; batch += 1) await server.publish("news", BATCH);
    expect(count("disconnect") - before).toBe(0);
    await Promise.all(readers.map(kill));
    await expect.poll(() => count("disconnect") - before, PATIENT).toBe(readers.length);
  });

  it("and comes back gets the rest", async () => {
    const reader = await startReader("/big");
    reader.kill("SIGSTOP");
    for (let round = 0; round < 5; round += 1) await appHeldUp(); // longer than the server waits between two looks
    const told = once(reader, "message");
    reader.kill("SIGCONT");
    expect(await told).toEqual([BIG_BYTES, undefined]);
  });
});

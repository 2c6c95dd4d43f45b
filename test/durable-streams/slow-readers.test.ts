import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { OPEN_STREAMS } from "../support/durable-streams.ts";
import { startStreamServer, streamUser } from "../support/streams.ts";
import { makeProject } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";

const PART = 64 * 1_024;
const PARTS = 400;

describe("an event stream whose peer is slow (section 5.8)", () => {
  it("goes back to the log, misses nothing, and holds nobody up", async () => {
    await using server = await startStreamServer({ limits: { maxUnsentBytes: 256 * 1_024 } });
    const { user } = server;
    await user.put("fast");
    const [slow, quick] = await Promise.all(
      Array.from({ length: 2 }, () => openEvents(user.url("fast?offset=-1&live=sse"))),
    );
    if (slow === undefined || quick === undefined) throw new Error("two were opened");
    await Promise.all([slow, quick].map(({ until }) => until(({ controls }) => controls().length > 0)));
    slow.body.pause();
    let written = "";
    for (let part = 0; part < PARTS; part += 1) {
      const body = `${part} `.padEnd(PART, "x");
      written += body;
      await user.post("fast", { body });
    }
    await user.post("fast", { headers: { "stream-closed": "true" } });
    await quick.ended;
    expect(quick.data() === written).toBe(true);
    expect(slow.data().length).toBeLessThan(written.length);
    slow.body.resume();
    await slow.ended;
    expect(slow.data() === written).toBe(true);
    expect(slow.controls().at(-1)).toMatchObject({ streamClosed: true });
  });

  it("is not buffered for: what waits in memory is bounded, whatever is written", async () => {
    const root = makeProject();
    await using server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
    const user = streamUser(`${server.url}/ds`);
    await user.put("busy");
    const slow = await Promise.all(
      Array.from({ length: 20 }, () => openEvents(user.url("busy?offset=-1&live=sse"))),
    );
    await Promise.all(slow.map(({ until }) => until(({ controls }) => controls().length > 0)));
    for (const { body } of slow) body.pause();
    const before = await server.memory();
    const body = "x".repeat(1_024 * 1_024);
    for (let part = 0; part < 200; part += 1) await user.post("busy", { body });
    // 200 MiB, which they would share, if it were kept for them.
    expect((await server.memory()) - before).toBeLessThan(100 * 1_024 * 1_024);
    for (const { close } of slow) close();
    await server.kill();
    rmSync(root, { recursive: true, force: true });
  });
});

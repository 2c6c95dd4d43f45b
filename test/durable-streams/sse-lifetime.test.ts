import { describe, expect, it } from "vitest";
import { lifetimeMs } from "#src/transports/durable-streams/live-connection.ts";
import { openEvents } from "../support/stream-events.ts";
import { startStreamServer } from "../support/streams.ts";

describe("an event stream (sections 5.8 and 10.2)", () => {
  it("lives its time: the end is spread, never in the first seconds, and never after the grant's", () => {
    const forMinute = (random: number): number => lifetimeMs({ ttlMs: 60_000, endsInMs: undefined, random });
    expect([forMinute(0), forMinute(0.5)]).toEqual([48_000, 54_000]);
    expect(forMinute(0.999)).toBeLessThanOrEqual(60_000);
    expect(lifetimeMs({ ttlMs: 1, endsInMs: undefined, random: 0 })).toBeGreaterThanOrEqual(3_000);
    expect(lifetimeMs({ ttlMs: 60_000, endsInMs: 500, random: 0 })).toBe(500);
  });

  it("ends after a control event, and the client goes on where it was", async () => {
    // The least that there is, whatever is set.
    await using server = await startStreamServer({ streams: { sseTtlMs: 1 } });
    const { user } = server;
    await user.put("rotated", { body: "a" });
    const lives = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const openedAt = performance.now();
        const open = await openEvents(user.url("rotated?offset=-1&live=sse"));
        await open.ended;
        return { open, livedMs: performance.now() - openedAt };
      }),
    );
    for (const { open, livedMs } of lives) {
      expect(livedMs).toBeGreaterThan(2_000);
      expect(open.events.at(-1)?.type).toBe("control");
      expect(open.text()).toMatch(/\n\n$/);
    }
    // Who comes back with the last offset goes on where it was.
    const last = lives[0]?.open.controls().at(-1);
    const back = await openEvents(user.url(`rotated?offset=${last?.streamNextOffset}&live=sse`));
    await user.post("rotated", { body: "b" });
    await back.until(({ data }) => data() === "b");
    back.close();
  });

  it("counts as a connection, and so does a long-poll", async () => {
    await using server = await startStreamServer({ limits: { maxConnections: 1 } });
    await server.user.put("counted");
    const open = await openEvents(server.user.url("counted?offset=-1&live=sse"));
    for (const live of ["sse", "long-poll"]) {
      const refused = await server.user.get(`counted?offset=now&live=${live}`);
      expect([refused.status, refused.headers.has("retry-after")]).toEqual([429, true]);
    }
    open.close();
  });

  it("says at once where an empty stream stands", async () => {
    await using server = await startStreamServer();
    await server.user.put("silent");
    for (const offset of ["-1", "now"]) {
      const open = await openEvents(server.user.url(`silent?offset=${offset}&live=sse`));
      await open.until(({ controls }) => controls().length === 1);
      expect(open.controls()[0]).toMatchObject({ upToDate: true, streamCursor: expect.any(String) });
      open.close();
    }
  });

  it("says so too where all there is is half a character", async () => {
    await using server = await startStreamServer();
    await server.user.put("half", { body: Buffer.from("ü").subarray(0, 1) });
    const open = await openEvents(server.user.url("half?offset=-1&live=sse"));
    await open.until(({ controls }) => controls().some(({ upToDate }) => upToDate));
    await server.user.post("half", { body: Buffer.from("ü").subarray(1) });
    await open.until(({ data }) => data() === "ü");
    open.close();
  });

  it("has a control event directly after every data event, and says the end with the last data", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    await user.put("said", { type: "application/json", body: "[1]" });
    const open = await openEvents(user.url("said?offset=-1&live=sse"));
    for (let count = 2; count <= 20; count += 1)
      await user.post("said", { type: "application/json", body: String(count) });
    await user.post("said", { type: "application/json", body: "21", headers: { "stream-closed": "true" } });
    await open.ended;
    for (const [index, { type }] of open.events.entries()) {
      if (type === "data") expect(open.events[index + 1]?.type).toBe("control");
    }
    const messages = open.events
      .filter(({ type }) => type === "data")
      .flatMap(({ data }) => JSON.parse(data) as number[]);
    expect(messages).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
    expect(open.controls().at(-1)).toMatchObject({ streamClosed: true, upToDate: true });
  });
});

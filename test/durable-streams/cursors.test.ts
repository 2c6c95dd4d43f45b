import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer({ streams: { pollTimeoutMs: 20 } })));
afterAll(() => server[Symbol.asyncDispose]());

describe("cursors (section 10.1)", () => {
  it("grow strictly from one long-poll to the next that sends it back", async () => {
    const { user } = server;
    await user.put("polled");
    let cursor = "";
    for (let poll = 0; poll < 12; poll += 1) {
      const echoed = cursor === "" ? "" : `&cursor=${cursor}`;
      const response = await user.get(`polled?offset=now&live=long-poll${echoed}`);
      const next = response.headers.get("stream-cursor") ?? "";
      expect(next).toMatch(/^\d+$/);
      expect(Number(next)).toBeGreaterThan(Number(cursor));
      cursor = next;
    }
  });

  it("are not the same for clients that collide", async () => {
    const { user } = server;
    await user.put("collided");
    const first = await user.get("collided?offset=now&live=long-poll");
    const path = `collided?offset=now&live=long-poll&cursor=${first.headers.get("stream-cursor")}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => user.get(path)));
    expect(new Set(answers.map(({ headers }) => headers.get("stream-cursor"))).size).toBeGreaterThan(3);
  });

  it("never go back within one event stream, and are later than the one that was sent back", async () => {
    const { user } = server;
    await user.put("told", { body: "0" });
    const { headers } = await user.get("told?offset=now&live=long-poll");
    const given = Number(headers.get("stream-cursor"));
    const open = await openEvents(user.url(`told?offset=-1&live=sse&cursor=${given}`));
    for (let count = 1; count <= 20; count += 1) {
      await open.until(({ controls }) => controls().length >= count);
      await user.post("told", { body: "x" });
    }
    open.close();
    const cursors = open.controls().map(({ streamCursor }) => Number(streamCursor));
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
    expect(cursors[0]).toBeGreaterThan(given);
  });

  it("are in no event once the stream is closed, which is told with the last data (section 5.8)", async () => {
    const { user } = server;
    await user.put("closing");
    const live = await openEvents(user.url("closing?offset=-1&live=sse"));
    await user.post("closing", { body: "last", headers: { "stream-closed": "true" } });
    await live.ended;
    const late = await openEvents(user.url("closing?offset=-1&live=sse"));
    await late.ended;
    const [controls, lateControls] = [live.controls(), late.controls()];
    expect(controls).toHaveLength(2);
    expect(controls[1]).toEqual({
      streamNextOffset: expect.any(String) as string,
      upToDate: true,
      streamClosed: true,
    });
    expect(lateControls).toEqual([controls[1]]);
  });

  it("are not told once the stream is closed: nobody comes back", async () => {
    const { user } = server;
    await user.put("done", { body: "x", headers: { "stream-closed": "true" } });
    const response = await user.get("done?offset=now&live=long-poll");
    expect(response.status).toBe(204);
    expect(response.headers.has("stream-cursor")).toBe(false);
    const open = await openEvents(user.url("done?offset=now&live=sse"));
    await open.ended;
    expect(open.controls()).toEqual([
      { streamNextOffset: expect.any(String) as string, upToDate: true, streamClosed: true },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { LONG_POLL_MS, nextOffset, startStreamServer } from "../support/streams.ts";

describe("a server that closes (PROTOCOL.md, section 5.7 and 5.8)", () => {
  it("answers long-polls with 204 and the offset, and ends event streams after a control event", async () => {
    await using server = await startStreamServer({ streams: { pollTimeoutMs: LONG_POLL_MS } });
    const { user } = server;
    await user.put("open", { body: "a" });
    const tail = nextOffset(await user.head("open"));
    const events = await openEvents(user.url("open?offset=-1&live=sse"));
    await events.until(({ controls }) => controls().length > 0);
    const polls = Array.from({ length: 10 }, () => user.get(`open?offset=${tail}&live=long-poll`));
    // By the time that these are answered, which are sent after them, the polls wait.
    await Promise.all(Array.from({ length: 50 }, () => user.head("open")));
    await server.running.close();
    const answers = await Promise.all(polls);
    for (const response of answers) {
      // One that came while the server was closing already is told when to come back.
      if (response.status === 503) expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      else {
        expect(response.status).toBe(204);
        expect(nextOffset(response)).toBe(tail);
        expect(response.headers.get("stream-up-to-date")).toBe("true");
        expect(response.headers.has("stream-cursor")).toBe(true);
      }
    }
    expect(answers.some((response) => response.status === 204)).toBe(true);
    await events.ended;
    expect(events.events.at(-1)?.type).toBe("control");
    expect(events.controls().at(-1)).not.toHaveProperty("streamClosed");
  });

  it("answers 503 with when to come back to a live read that comes while it closes", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    await user.put("late");
    // A request on a kept connection is taken until that one is closed.
    await user.head("late");
    const closing = server.running.close();
    const late = await user.get("late?offset=now&live=long-poll").catch(() => undefined);
    await closing;
    if (late === undefined) return; // its connection was closed first: the client comes back by itself
    expect([204, 503]).toContain(late.status);
    if (late.status === 503) expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});

import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OPEN_STREAMS } from "../support/durable-streams.ts";
import { nextOffset, producerHeaders, streamUser } from "../support/streams.ts";
import type { StreamUser } from "../support/streams.ts";
import { makeProject } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";
import type { ServerProcess } from "../support/server-process.ts";

let root: string;
let server: ServerProcess;
let user: StreamUser;

async function start(): Promise<void> {
  server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
  user = streamUser(`${server.url}/ds`);
}

/** SIGKILL, and another process on the same store. */
async function killAndRestart(): Promise<void> {
  await server.kill();
  await start();
}

beforeEach(async () => {
  root = makeProject();
  await start();
});
afterEach(async () => {
  await server.kill();
  rmSync(root, { recursive: true, force: true });
});

describe("after a kill -9 and a restart", () => {
  it("streams have their data, content types and offsets (sections 4 and 8)", async () => {
    await user.put("text", { body: " a" });
    await user.put("json", { type: "application/json", body: "[1.0]" });
    await user.post("json", { type: "application/json", body: "12345678901234567890" });
    const middle = nextOffset(await user.post("text", { body: "b" }));
    await user.post("text", { body: "c" });
    const etag = (await user.get("text")).headers.get("etag");
    await killAndRestart();
    expect(await (await user.get("text")).text()).toBe(" abc");
    expect(await (await user.get(`text?offset=${middle}`)).text()).toBe("c");
    expect((await user.get("text")).headers.get("etag")).toBe(etag);
    expect(await (await user.get("json")).text()).toBe("[1.0,12345678901234567890]");
    expect((await user.head("json")).headers.get("content-type")).toBe("application/json");
    expect(nextOffset(await user.post("text", { body: "d" })) > middle).toBe(true);
  });

  it("a closed stream is closed, and knows who closed it (sections 4.1 and 5.2.1)", async () => {
    await user.put("done");
    await user.put("empty", { headers: { "stream-closed": "true" } });
    const closing = { body: "end", headers: { ...producerHeaders("p", 2, 0), "stream-closed": "true" } };
    expect((await user.post("done", closing)).status).toBe(200);
    await killAndRestart();
    expect((await user.get("empty")).headers.get("stream-closed")).toBe("true");
    const late = await user.post("done", { body: "late" });
    expect(late.status).toBe(409);
    expect(late.headers.get("stream-closed")).toBe("true");
    expect((await user.post("done", closing)).status).toBe(204);
    expect(await (await user.get("done")).text()).toBe("end");
  });

  it("producers and `Stream-Seq` go on where they were (sections 5.2 and 5.2.1)", async () => {
    await user.put("work");
    const send = (seq: number, streamSeq: string) =>
      user.post("work", {
        body: `${seq};`,
        headers: { ...producerHeaders("p", 1, seq), "stream-seq": streamSeq },
      });
    for (const seq of [0, 1, 2]) await send(seq, `b${seq}`);
    await killAndRestart();
    const repeat = await send(1, "b1");
    expect([repeat.status, repeat.headers.get("producer-seq")]).toEqual([204, "2"]);
    expect((await send(5, "b5")).headers.get("producer-expected-seq")).toBe("3");
    expect((await user.post("work", { body: "x", headers: producerHeaders("p", 0, 0) })).status).toBe(403);
    expect((await send(3, "b2")).status).toBe(409);
    expect((await send(3, "b3")).status).toBe(200);
    expect(await (await user.get("work")).text()).toBe("0;1;2;3;");
  });

  it("lifetimes hold, and one that is over is over (section 5.1)", async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const soon = new Date(Date.now() + 1_000).toISOString();
    await user.put("ttl", { headers: { "stream-ttl": "3600" } });
    await user.put("at", { headers: { "stream-expires-at": later } });
    await user.put("over", { headers: { "stream-expires-at": soon } });
    await server.kill();
    while (Date.now() <= Date.parse(soon)) await new Promise((resolve) => setTimeout(resolve, 50));
    await start();
    expect((await user.head("ttl")).headers.get("stream-ttl")).toBe("3600");
    expect((await user.head("at")).headers.get("stream-expires-at")).toBe(later);
    expect((await user.head("over")).status).toBe(404);
    expect((await user.put("at", { headers: { "stream-expires-at": later } })).status).toBe(200);
    expect((await user.put("at", { headers: { "stream-ttl": "1" } })).status).toBe(409);
  });

  it("what was deleted is gone, and its offsets stay so (sections 5.4 and 8)", async () => {
    await user.put("gone", { body: "old" });
    const old = nextOffset(await user.head("gone"));
    await user.delete("gone");
    await killAndRestart();
    expect((await user.get("gone")).status).toBe(404);
    expect((await user.put("gone", { body: "new" })).status).toBe(201);
    const refused = await user.get(`gone?offset=${old}`);
    expect(refused.status).toBe(410);
    expect(await refused.json()).toMatchObject({
      oldest: expect.any(String),
      newest: nextOffset(await user.head("gone")),
    });
    expect(nextOffset(await user.head("gone")) > old).toBe(true);
  });

  it("forks read what they inherited, from sources that were deleted too (section 4.2)", async () => {
    await user.put("root", { body: "abcdef" });
    const fork = (from: string, more: Record<string, string> = {}) => ({
      headers: { "stream-forked-from": `/ds/${from}`, ...more },
    });
    await user.put("one", fork("root"));
    await user.post("one", { body: "1" });
    await user.post("root", { body: "-never-in-one" });
    await user.put("two", fork("one"));
    await user.post("two", { body: "2" });
    await user.delete("root");
    await user.delete("one");
    await killAndRestart();
    expect(await (await user.get("two")).text()).toBe("abcdef12");
    expect((await user.get("root")).status).toBe(410);
    expect((await user.put("one")).status).toBe(409);
    await user.delete("two");
    await killAndRestart();
    expect((await user.get("root")).status).toBe(404);
    expect((await user.put("one")).status).toBe(201);
  });
});

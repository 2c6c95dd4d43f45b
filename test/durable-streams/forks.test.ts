import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { LONG_POLL_MS, nextOffset, startStreamServer } from "../support/streams.ts";
import type { StreamRequest, StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer({ streams: { pollTimeoutMs: LONG_POLL_MS } })));
afterAll(() => server[Symbol.asyncDispose]());

/** A PUT that forks. */
function forkOf(
  source: string,
  { offset, sub, body }: { offset?: string; sub?: number; body?: string } = {},
): StreamRequest {
  return {
    type: "",
    headers: {
      "stream-forked-from": `/ds/${source}`,
      ...(offset === undefined ? {} : { "stream-fork-offset": offset }),
      ...(sub === undefined ? {} : { "stream-fork-sub-offset": String(sub) }),
    },
    ...(body === undefined ? {} : { body }),
  };
}
const textOf = async (name: string): Promise<string> => (await server.user.get(name)).text();

describe("forks (section 4.2)", () => {
  it("of forks of forks, five deep, have what each had where the next branched off", async () => {
    const { user } = server;
    await user.put("deep0", { body: "0" });
    const offsets = [nextOffset(await user.head("deep0"))];
    for (let depth = 1; depth <= 5; depth += 1) {
      await user.put(`deep${depth}`, forkOf(`deep${depth - 1}`));
      offsets.push(nextOffset(await user.post(`deep${depth}`, { body: String(depth) })));
      await user.post(`deep${depth - 1}`, { body: "never" });
    }
    expect(await textOf("deep5")).toBe("012345");
    // Offsets of every life that it reads from are its own, sort as they come, and lead back to their place.
    expect(offsets).toEqual(offsets.toSorted());
    for (const [depth, offset] of offsets.entries())
      expect(await (await user.get(`deep5?offset=${offset}`)).text()).toBe("012345".slice(depth + 1));
    // One that another life of the chain gave out after the branch is none of its own.
    const beyond = nextOffset(await user.head("deep3"));
    expect((await user.get(`deep5?offset=${beyond}`)).status).toBe(410);
  });

  it("may branch off inside of what their source has inherited, and inside of an append", async () => {
    const { user } = server;
    await user.put("base", { body: "abcdef" });
    const start = (await user.get("base?offset=-1")).headers.get("stream-next-offset") ?? "";
    await user.post("base", { body: "ghij" });
    await user.put("mid", forkOf("base", { offset: start, sub: 2, body: "MID" }));
    expect(await textOf("mid")).toBe("abcdefghMID");
    await user.put("inner", forkOf("mid", { offset: start, sub: 1, body: "IN" }));
    expect(await textOf("inner")).toBe("abcdefgIN");
    // As far as `mid` has of that append, and no further.
    expect((await user.put("beyond", forkOf("mid", { offset: start, sub: 3 }))).status).toBe(400);
  });

  it.each(orders(["x0", "x1", "x2"]))(
    "deleted in the order %s, %s, %s, keep what is needed and no more",
    async (...order) => {
      const { user } = server;
      const name = (short: string): string => `${order.join("")}-${short}`;
      await user.put(name("x0"), { body: "0" });
      await user.put(name("x1"), forkOf(name("x0"), { body: "1" }));
      await user.put(name("x2"), forkOf(name("x1"), { body: "2" }));
      const alive = new Set(["x0", "x1", "x2"]);
      for (const short of order) {
        expect((await user.delete(name(short))).status).toBe(204);
        alive.delete(short);
        for (const [index, each] of ["x0", "x1", "x2"].entries()) {
          const isNeeded = ["x0", "x1", "x2"].slice(index + 1).some((fork) => alive.has(fork));
          const response = await user.get(name(each));
          expect(response.status, `${each} after ${short}`).toBe(
            alive.has(each) ? 200 : isNeeded ? 410 : 404,
          );
          if (alive.has(each)) expect(await response.text()).toBe("012".slice(0, index + 1));
          if (!alive.has(each) && isNeeded) expect((await user.put(name(each))).status).toBe(409);
        }
      }
      for (const short of order) expect((await user.put(name(short))).status).toBe(201);
    },
  );

  it("are followed from what they inherit to their own appends; their source's are not heard of (sections 5.7, 5.8)", async () => {
    const { user } = server;
    await user.put("source", { type: "application/json", body: "[1,2]" });
    await user.put("branch", forkOf("source"));
    const inherited = await user.get("branch?offset=-1&live=long-poll");
    expect(await inherited.text()).toBe("[1,2]");
    const open = await openEvents(user.url("branch?offset=-1&live=sse"));
    await open.until(({ data }) => data() === "[1,2]");
    const poll = user.get(`branch?offset=${nextOffset(inherited)}&live=long-poll`);
    await user.post("source", { type: "application/json", body: "[3]" });
    await user.post("branch", { type: "application/json", body: "[4]" });
    expect(await (await poll).text()).toBe("[4]");
    await open.until(({ data }) => data() === "[1,2][4]");
    open.close();
    // One array over the place where it branches off (section 9.1).
    expect(await textOf("branch")).toBe("[1,2,4]");
  });
});

function orders(names: readonly string[]): string[][] {
  if (names.length <= 1) return [[...names]];
  return names.flatMap((name) =>
    orders(names.filter((other) => other !== name)).map((rest) => [name, ...rest]),
  );
}

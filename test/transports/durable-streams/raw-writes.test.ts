import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createText, outcomeOf, startStreamServer } from "../../support/stream-server.ts";
import type { StreamServer } from "../../support/stream-server.ts";

const OPEN = { publicStreams: true, publicWrites: true, skipsAuthentication: true };

let server: StreamServer;
beforeAll(async () => {
  server = await startStreamServer({ streams: OPEN });
});
afterAll(() => server[Symbol.asyncDispose]());

/** The status of a request whose headers may repeat, which `fetch` would join. */
async function statusOf(
  name: string,
  { method, headers }: { method: string; headers: Record<string, string | string[]> },
): Promise<number | undefined> {
  const request = httpRequest(server.streamUrl(name), { method, headers, agent: false });
  request.end("x");
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe("headers of a write", () => {
  const PRODUCER = { "producer-id": "a", "producer-epoch": "0", "producer-seq": "0" };

  it.each(["producer-id", "producer-epoch", "producer-seq", "stream-seq"])(
    "refuses a repeated %s, which would be read as another one",
    async (name) => {
      const path = `repeated/${name}`;
      await createText(server, path);
      const headers = { "content-type": "text/plain", "stream-seq": "0", ...PRODUCER };
      const repeated = { ...headers, [name]: ["0", "0"] };
      expect(await statusOf(path, { method: "POST", headers: repeated })).toBe(400);
      expect(await statusOf(path, { method: "POST", headers })).toBe(200);
    },
  );
});

describe("how much a write may hold", () => {
  const headers = { "content-type": "application/json" };
  const messages = (count: number): string => `[${Array.from({ length: count }, () => 1).join(",")}]`;

  it.each(["PUT", "POST"])(
    "takes 10,000 messages with a %s, and refuses more with nothing stored",
    async (method) => {
      const url = server.streamUrl(`many/${method}`);
      if (method === "POST") await fetch(url, { method: "PUT", headers });
      const send = (count: number): Promise<Response> => {
        const init: RequestInit = { method, headers, body: messages(count) };
        return fetch(url, init);
      };
      const tooMany = await send(10_001);
      expect(await outcomeOf(tooMany)).toEqual([413, "too_big"]);
      expect((await send(10_000)).ok).toBe(true);
      expect(await (await fetch(url)).json()).toHaveLength(10_000);
    },
  );
});

describe("a PUT whose stream does not live", () => {
  it.each([
    ["stream-ttl", "0"],
    ["stream-expires-at", "2001-01-01T00:00:00.000Z"],
  ])("is answered as the success that it was, with %s: %s", async (name, value) => {
    const url = server.streamUrl(`short/${name}`);
    const response = await fetch(url, {
      method: "PUT",
      headers: { "content-type": "text/plain", [name]: value },
    });
    expect(response.status).toBe(201);
    expect(response.headers.get(name)).toBe(value);
    expect((await fetch(url, { method: "HEAD" })).status).toBe(404);
  });
});

describe("forks of forks", () => {
  it("are refused deeper than 100, with what to do; the deepest reads what all inherit", async () => {
    await createText(server, "deep/0", "root");
    const fork = (depth: number): Promise<Response> =>
      fetch(server.streamUrl(`deep/${depth}`), {
        method: "PUT",
        headers: { "stream-forked-from": `/ds/deep/${depth - 1}` },
      });
    for (let depth = 1; depth <= 100; depth += 1) expect((await fork(depth)).status).toBe(201);
    expect(await (await fetch(server.streamUrl("deep/100"))).text()).toBe("root");
    const refused = await fork(101);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      code: "malformed",
      detail: expect.stringContaining("less deep"),
    });
  });
});

it("counts a write's body in `maxBodyBytesTotal`, and not the app's", async () => {
  await using small = await startStreamServer({ streams: OPEN, limits: { maxBodyBytesTotal: 1_000 } });
  await createText(small, "app", "x".repeat(2_000));
  const headers = { "content-type": "text/plain" };
  const write = (method: "PUT" | "POST", length: number): Promise<Response> =>
    fetch(small.streamUrl("app"), { method, headers, body: "x".repeat(length) });
  for (const method of ["PUT", "POST"] as const) {
    const refused = await write(method, 2_000);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await outcomeOf(refused)).toEqual([429, "rate_limited"]);
    expect((await write(method, 10)).ok).toBe(true);
  }
});

import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createText, startStreamServer } from "../../support/stream-server.ts";
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

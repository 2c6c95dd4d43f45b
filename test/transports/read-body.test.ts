import { once } from "node:events";
import { createServer, request } from "node:http";
import type { ClientRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readBody } from "#src/transports/http.ts";

/** A request whose body the test writes, and what the server's reading of it comes to. */
async function post(limits: {
  maxBytes: number;
  timeoutMs?: number;
}): Promise<[ClientRequest, Promise<string>]> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = request({ port, host: "127.0.0.1", method: "POST", agent: false });
  client.on("error", () => {});
  const read = once(server, "request").then(([incoming, response]) =>
    readBody(incoming, limits)
      .then(
        (body) => body.toString(),
        ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
      )
      .finally(() => response.end()),
  );
  return [client, read];
}

it("reads what comes in pieces", async () => {
  const [client, read] = await post({ maxBytes: 10 });
  client.write("ab");
  client.end("c");
  expect(await read).toBe("abc");
});

it("refuses a chunked body as soon as it is too big", async () => {
  const [client, read] = await post({ maxBytes: 3 });
  client.write("abcd");
  expect(await read).toBe("too_big: the body is larger than 3 bytes");
});

it("cuts off a body that takes too long", async () => {
  const [client, read] = await post({ maxBytes: 10, timeoutMs: 50 });
  client.write("a");
  expect(await read).toBe("malformed: the body broke off");
});

it("takes a client that leaves in the middle for what it is", async () => {
  const [client, read] = await post({ maxBytes: 10 });
  client.write("a", () => client.destroy());
  expect(await read).toBe("malformed: the body broke off");
});

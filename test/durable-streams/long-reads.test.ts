import { stream } from "@durable-streams/client";
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { dial, readUntil } from "../support/raw-connection.ts";
import { OPEN_STREAMS } from "../support/durable-streams.ts";
import { nextOffset, readToTail, startStreamServer, streamUser } from "../support/streams.ts";
import { makeProject } from "../support/server.ts";
import { startServerProcess } from "../support/server-process.ts";

const MIB = 1_024 * 1_024;
const BYTES = "application/octet-stream";

describe("a long read (section 5.6)", () => {
  it("comes in chunks that say where to go on; only the last is up to date", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const written = createHash("sha256");
    await user.put("long", { type: BYTES });
    for (let part = 0; part < 26; part += 1) {
      const body = pattern(MIB, part);
      written.update(body);
      expect((await user.post("long", { type: BYTES, body })).status).toBe(204);
    }
    await user.post("long", { headers: { "stream-closed": "true" } });
    const read = createHash("sha256");
    let [from, chunks] = ["-1", 0];
    for (let isTail = false; !isTail; chunks += 1) {
      const response = await user.get(`long?offset=${from}`);
      isTail = response.headers.has("stream-up-to-date");
      expect(response.headers.has("stream-closed")).toBe(isTail);
      expect(nextOffset(response) > from || from === "-1").toBe(true);
      const body = Buffer.from(await response.arrayBuffer());
      expect(body.length).toBeLessThanOrEqual(MIB);
      read.update(body);
      from = nextOffset(response);
    }
    expect(chunks).toBe(26);
    expect(read.digest("hex")).toBe(written.digest("hex"));
  });

  it("ends each chunk of a text with a whole character, so that clients may decode each alone", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const text = `x${"漢é👩".repeat(250_000)}`;
    await user.put("letters", { body: text });
    await user.post("letters", { body: Buffer.from("漢").subarray(0, 2) });
    const chunks = await readToTail(user, "letters");
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks.slice(0, -1)) expect(chunk.toString()).not.toContain("\uFFFD");
    expect(chunks.at(-1)?.toString()).toMatch(/[^\uFFFD]\uFFFD$/);
    await user.post("letters", { body: Buffer.from("漢").subarray(2), headers: { "stream-closed": "true" } });
    // Its `live: false` stops after one chunk, whatever that says of the tail.
    for (const live of ["long-poll", "sse"] as const) {
      const response = await stream({ url: user.url("letters"), offset: "-1", live });
      expect((await response.text()) === `${text}漢`, live).toBe(true);
    }
  });

  it("goes on where a character begins in the last byte of a long append, and ends in the next", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const text = `${"x".repeat(2 * MIB)}漢!`;
    const bytes = Buffer.from(text);
    await user.put("seam", { body: bytes.subarray(0, 2 * MIB + 1) });
    await user.post("seam", { body: bytes.subarray(2 * MIB + 1), headers: { "stream-closed": "true" } });
    const chunks = await readToTail(user, "seam");
    expect(chunks.map((chunk) => chunk.toString()).join("") === text).toBe(true);
    const open = await openEvents(user.url("seam?offset=-1&live=sse"));
    await open.ended;
    expect(open.data() === text).toBe(true);
  });

  it("goes on where a fork branches off inside of a character, in the middle of a long append", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const long = `${"x".repeat(2 * MIB)}漢${"y".repeat(2 * MIB)}`;
    await user.put("trunk", { body: long });
    const headers = {
      "stream-forked-from": "/ds/trunk",
      "stream-fork-offset": "0000000000000000_0000000000000000",
      "stream-fork-sub-offset": String(2 * MIB + 1),
    };
    const body = Buffer.concat([Buffer.from("漢").subarray(1), Buffer.from("!")]);
    expect((await user.put("twig", { headers, body })).status).toBe(201);
    const text = `${"x".repeat(2 * MIB)}漢!`;
    const chunks = await readToTail(user, "twig");
    expect(chunks.map((chunk) => chunk.toString()).join("") === text).toBe(true);
    const open = await openEvents(user.url("twig?offset=-1&live=sse"));
    await open.until(({ data }) => data().length >= text.length);
    expect(open.data() === text).toBe(true);
    open.close();
  });

  it("is exact by events, too, and from a row of 16 MiB", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    const body = Buffer.from(pattern(16 * MIB, 3));
    expect((await user.put("row", { type: BYTES, body })).status).toBe(201);
    await user.post("row", { headers: { "stream-closed": "true" } });
    expect(Buffer.concat(await readToTail(user, "row")).equals(body)).toBe(true);
    const open = await openEvents(user.url("row?offset=-1&live=sse"));
    await open.ended;
    const parts = open.events.filter(({ type }) => type === "data");
    const bytes = Buffer.concat(parts.map(({ data }) => Buffer.from(data, "base64")));
    expect(bytes.equals(body)).toBe(true);
    expect(parts.length).toBeGreaterThan(16);
  });

  it("refuses an append of more than 16 MiB and stores nothing of it (section 5.2)", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    await user.put("limit", { type: BYTES });
    const body = Buffer.alloc(16 * MIB + 1);
    const refused = await user.post("limit", { type: BYTES, body }).catch(() => undefined);
    if (refused !== undefined) expect(refused.status).toBe(413);
    expect(nextOffset(await user.head("limit"))).toMatch(/_0{16}$/);
    const [chunked] = await Promise.allSettled([sendChunked(user.url("limit"), body)]);
    if (chunked.status === "fulfilled") expect(chunked.value).toBe(413);
    expect(nextOffset(await user.head("limit"))).toMatch(/_0{16}$/);
  });

  it("takes a streamed body (section 5.2, Transfer-Encoding)", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    await user.put("streamed", { type: BYTES });
    expect(await sendChunked(user.url("streamed"), pattern(3 * MIB, 1))).toBe(204);
    expect(Buffer.concat(await readToTail(user, "streamed")).equals(pattern(3 * MIB, 1))).toBe(true);
  });

  it("goes at the pace of slow sockets and holds no more than they have asked for", async () => {
    const root = makeProject();
    await using server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
    const user = streamUser(`${server.url}/ds`);
    await user.put("slow", { type: BYTES });
    for (let part = 0; part < 26; part += 1)
      await user.post("slow", { type: BYTES, body: pattern(MIB, part) });
    const before = await server.memory();
    // None of them reads: what waits for each is bounded, though each has 26 MiB to get.
    const [chunks, events] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, () => openPaused(user.url("slow?offset=-1")))),
      Promise.all(Array.from({ length: 20 }, () => openPaused(user.url("slow?offset=-1&live=sse")))),
    ]);
    expect((await server.memory()) - before).toBeLessThan(20 * 2 * 4 * MIB);
    // Nobody else waits for them.
    expect((await user.head("slow")).status).toBe(200);
    for (const response of [...chunks, ...events]) response.destroy();
    await server.kill();
    rmSync(root, { recursive: true, force: true });
  });

  it("holds one chunk for a client that asks for many at once and reads none", async () => {
    const root = makeProject();
    await using server = await startServerProcess(root, {}, { durableStreams: OPEN_STREAMS });
    const user = streamUser(`${server.url}/ds`);
    await user.put("piped", { type: BYTES });
    for (let part = 0; part < 8; part += 1)
      await user.post("piped", { type: BYTES, body: pattern(MIB, part) });
    const before = await server.memory();
    const path = new URL(user.url("piped?offset=-1"));
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(server)));
    const request = `GET ${path.pathname}${path.search} HTTP/1.1\r\nhost: a\r\n\r\n`;
    for (const socket of sockets) socket.pause().write(request.repeat(20));
    // Every request of theirs has been parsed when one that came later is answered, on each of some connections.
    for (let round = 0; round < 10; round += 1) await user.head("piped");
    expect((await server.memory()) - before).toBeLessThan(20 * 3 * MIB);
    for (const socket of sockets) socket.destroy();
    await server.kill();
    rmSync(root, { recursive: true, force: true });
  });

  it("answers requests that are pipelined in their order, each when the one before is read", async () => {
    await using server = await startStreamServer();
    const { user } = server;
    for (const name of ["a", "b", "c"]) await user.put(`in-line-${name}`, { body: `<${name}>` });
    const socket = await dial(server);
    const { pathname } = new URL(user.url("in-line-"));
    const get = (name: string) => `GET ${pathname}${name}?offset=-1 HTTP/1.1\r\nhost: a\r\n\r\n`;
    socket.write(["a", "b", "none", "c"].map(get).join(""));
    const received = await readUntil(socket, (text) => text.includes("<c>"));
    expect(received).toMatch(/ 200 [^]*<a>[^]* 200 [^]*<b>[^]* 404 [^]* 200 [^]*<c>/);
    socket.destroy();
  });
});

function pattern(length: number, seed: number): Buffer {
  return Buffer.alloc(
    length,
    Buffer.from(Array.from({ length: 251 }, (_, index) => (index * 31 + seed) % 256)),
  );
}

async function sendChunked(url: string, body: Buffer): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpRequest(
      url,
      { method: "POST", headers: { "content-type": BYTES }, agent: false },
      resolve,
    );
    sent.once("error", reject);
    for (let from = 0; from < body.length; from += 64 * 1_024)
      sent.write(body.subarray(from, from + 64 * 1_024));
    sent.end();
  });
  response.resume();
  return response.statusCode ?? 0;
}

/** A response whose body nobody reads. */
function openPaused(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent: false }, (response) => {
      response.on("error", () => {});
      resolve(response.pause());
    })
      .once("error", reject)
      .end();
  });
}

import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { Agent, fetch as undiciFetch } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestCertificates } from "../support/certificates.ts";
import type { TestCertificates } from "../support/certificates.ts";
import { openEvents, readEvents } from "../support/stream-events.ts";
import {
  LONG_POLL_MS,
  nextOffset,
  producerHeaders,
  readToTail,
  startStreamServer,
  streamUser,
} from "../support/streams.ts";
import type { StreamServer, StreamUser } from "../support/streams.ts";

let certificates: TestCertificates;
let server: StreamServer;
let session: ClientHttp2Session;
const agents: Agent[] = [];
beforeAll(async () => {
  certificates = await makeTestCertificates();
  server = await startStreamServer({
    tls: certificates.tls,
    http2: true,
    streams: { pollTimeoutMs: LONG_POLL_MS },
  });
  session = connectHttp2(server.url, { ca: certificates.caPem });
});
afterAll(async () => {
  session.destroy();
  await Promise.all(agents.map((agent) => agent.destroy()));
  await server[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

/** Somebody whose requests go over one version of HTTP, and which one each went over. */
function userOver(version: "HTTP/1.1" | "HTTP/2"): StreamUser {
  const agent = new Agent({ allowH2: version === "HTTP/2", connect: { ca: certificates.caPem } });
  agents.push(agent);
  const send = ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent })) as unknown;
  return streamUser(`${server.url}/ds`, send as typeof fetch);
}

describe.each(["HTTP/1.1", "HTTP/2"] as const)("over TLS and %s", (version) => {
  const prefix = version.replaceAll(/\W/g, "");

  it("creates, appends, reads, closes, forks and deletes (section 5)", async () => {
    const user = userOver(version);
    const name = `${prefix}-basics`;
    const created = await user.put(name, { body: "a" });
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(user.url(name));
    expect((await user.put(name)).status).toBe(200);
    expect((await user.post(name, { body: " ü" })).status).toBe(204);
    const producer = { body: "!", headers: producerHeaders("p", 0, 0) };
    expect([(await user.post(name, producer)).status, (await user.post(name, producer)).status]).toEqual([
      200, 204,
    ]);
    const read = await user.get(name);
    expect([read.status, await read.text()]).toEqual([200, "a ü!"]);
    expect((await user.get(name, { "if-none-match": read.headers.get("etag") ?? "" })).status).toBe(304);
    expect(
      (await user.put(`${name}-fork`, { headers: { "stream-forked-from": `/ds/${name}` } })).status,
    ).toBe(201);
    const closed = await user.post(name, { headers: { "stream-closed": "true" } });
    expect([closed.status, closed.headers.get("stream-closed")]).toEqual([204, "true"]);
    expect((await user.post(name, { body: "late" })).status).toBe(409);
    const head = await user.head(name);
    expect([head.status, nextOffset(head)]).toEqual([200, nextOffset(closed)]);
    expect((await user.delete(name)).status).toBe(204);
    expect((await user.get(name)).status).toBe(410);
    expect(await (await user.get(`${name}-fork`)).text()).toBe("a ü!");
  });

  it("reads live by long-poll (section 5.7)", async () => {
    const user = userOver(version);
    const name = `${prefix}-poll`;
    await user.put(name, { type: "application/json" });
    const poll = user.get(`${name}?offset=now&live=long-poll`);
    await user.head(name);
    await user.post(name, { type: "application/json", body: "[1.0]" });
    const response = await poll;
    // Before the append it waited, or it came after it and has missed it: then the next one has it.
    expect([response.status, await response.text()]).toEqual([200, "[1.0]"]);
  });

  it("takes 3 MiB in one append and gives them back in chunks (section 5.6)", async () => {
    const user = userOver(version);
    const name = `${prefix}-long`;
    const type = "application/octet-stream";
    const body = Buffer.alloc(3 * 1_024 * 1_024 + 5, "0123456789abcdef-");
    await user.put(name, { type });
    expect((await user.post(name, { type, body })).status).toBe(204);
    const chunks = await readToTail(user, name);
    expect(chunks.length).toBe(4);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
  });
});

describe("event streams over HTTP/2 (section 5.8)", () => {
  it("100 on one session all get everything, and end with the stream", async () => {
    const user = userOver("HTTP/2");
    await user.put("crowd", { body: "0" });
    const readers = await Promise.all(
      Array.from({ length: 100 }, async () => readEvents(await openStream("/ds/crowd?offset=-1&live=sse"))),
    );
    await Promise.all(readers.map(({ until }) => until(({ data }) => data() === "0")));
    for (let part = 1; part < 20; part += 1) await user.post("crowd", { body: ` ${part}` });
    await user.post("crowd", { headers: { "stream-closed": "true" } });
    await Promise.all(readers.map(({ ended }) => ended));
    const expected = Array.from({ length: 20 }, (_, part) => part).join(" ");
    expect(new Set(readers.map(({ data }) => data()))).toEqual(new Set([expected]));
    for (const { controls } of readers) expect(controls().at(-1)).toMatchObject({ streamClosed: true });
  });

  it("end when the stream is deleted, and one that leaves takes nobody with it", async () => {
    const user = userOver("HTTP/2");
    await user.put("left", { body: "a" });
    const [leaver, stayer] = [
      await openStream("/ds/left?offset=-1&live=sse"),
      await openStream("/ds/left?offset=-1&live=sse"),
    ];
    const events = readEvents(stayer);
    await events.until(({ data }) => data() === "a");
    leaver.on("error", () => {}).close(constants.NGHTTP2_CANCEL);
    await user.post("left", { body: "b" });
    await events.until(({ data }) => data() === "ab");
    await user.delete("left");
    await events.ended;
  });

  it("are the same over HTTP/1.1 on the same port", async () => {
    const user = userOver("HTTP/1.1");
    await user.put("same", { body: "a" });
    const one = await openEvents(user.url("same?offset=-1&live=sse"), { ca: certificates.caPem });
    const two = readEvents(await openStream("/ds/same?offset=-1&live=sse"));
    await Promise.all([one, two].map(({ until }) => until(({ data }) => data() === "a")));
    await user.post("same", { body: " b", headers: { "stream-closed": "true" } });
    await Promise.all([one.ended, two.ended]);
    expect(two.data()).toBe("a b");
    expect(one.data()).toBe("a b");
  });

  it("a slow one goes back to the log, and misses nothing", async () => {
    const user = userOver("HTTP/2");
    await user.put("pace");
    const slow = readEvents(await openStream("/ds/pace?offset=-1&live=sse"));
    await slow.until(({ controls }) => controls().length > 0);
    slow.body.pause();
    let written = "";
    for (let part = 0; part < 100; part += 1) {
      const body = `${part} `.padEnd(64 * 1_024, "x");
      written += body;
      await user.post("pace", { body });
    }
    await user.post("pace", { headers: { "stream-closed": "true" } });
    slow.body.resume();
    await slow.ended;
    expect(slow.data() === written).toBe(true);
  });
});

/** A stream of the one session, once its head is there. */
async function openStream(path: string): Promise<ClientHttp2Stream> {
  const stream = session.request({ ":path": path });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  if (headers[":status"] !== 200) throw new Error(`refused with ${String(headers[":status"])}`);
  return stream;
}

import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import type { LiveMode } from "@durable-streams/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer()));
afterAll(() => server[Symbol.asyncDispose]());

/** Tokens as models write them. */
const TOKENS = [
  " leading",
  "  two",
  "\n next line",
  "\n\n",
  " ",
  "data: no field",
  "\nevent: control\ndata:{}\n\n",
  "für",
  "漢字",
  "👩‍👩‍👧",
  "id: 1\n",
  ": comment\n",
  "end ",
];
const MODES: readonly LiveMode[] = [false, "long-poll", "sse"];

describe("text through the protocol's client (sections 5.6 to 5.8)", () => {
  it.each(MODES)(
    "arrives exact with `live: %s`: leading spaces, line feeds, what looks like fields",
    async (live) => {
      const name = `tokens-${live}`;
      const url = server.user.url(name);
      const handle = await DurableStream.create({ url, contentType: "text/plain", batching: false });
      const reading = live === false ? undefined : readText(url, live);
      for (const token of TOKENS) await handle.append(token);
      await handle.close();
      expect(await (reading ?? readText(url, live))).toBe(TOKENS.join(""));
    },
  );

  it.each(MODES)("arrives exact with `live: %s` where every byte is an append of its own", async (live) => {
    const text = "a é漢👩‍👩‍👧\n ü";
    const url = server.user.url(`bytes-${live}`);
    await server.user.put(`bytes-${live}`);
    const reading = live === false ? undefined : readBytes(url, live);
    for (const byte of Buffer.from(text)) await server.user.post(`bytes-${live}`, { body: Buffer.of(byte) });
    await server.user.post(`bytes-${live}`, { headers: { "stream-closed": "true" } });
    expect((await (reading ?? readBytes(url, live))).toString()).toBe(text);
  });

  it("shows no half of a character to who reads events, wherever it joins", async () => {
    const { user } = server;
    const text = "x漢👩é";
    await user.put("joined");
    const readers = [await openEvents(user.url("joined?offset=-1&live=sse"))];
    for (const byte of Buffer.from(text)) {
      await user.post("joined", { body: Buffer.of(byte) });
      // One that reads pages up to the middle of a character, and one that comes back with what the last was told.
      readers.push(await openEvents(user.url("joined?offset=-1&live=sse")));
      const told = readers[0]?.controls().at(-1)?.streamNextOffset;
      const back = await openEvents(user.url(`joined?offset=${told}&live=sse`));
      back.close();
    }
    await user.post("joined", { headers: { "stream-closed": "true" } });
    for (const reader of readers) {
      await reader.ended;
      expect(reader.data()).toBe(text);
    }
  });

  it("shows what is left of a character when the stream is closed, once", async () => {
    const { user } = server;
    await user.put("torn", { body: Buffer.concat([Buffer.from("a"), Buffer.from("漢").subarray(0, 2)]) });
    const open = await openEvents(user.url("torn?offset=-1&live=sse"));
    await open.until(({ data }) => data() === "a");
    await user.post("torn", { headers: { "stream-closed": "true" } });
    await open.ended;
    expect(open.data()).toBe("a\uFFFD");
    expect(open.controls().at(-1)).toMatchObject({
      streamClosed: true,
      streamNextOffset: expect.stringMatching(/3$/),
    });
  });

  it("joins a character over the place where a fork branches off (section 4.2)", async () => {
    const { user } = server;
    const bytes = Buffer.from("a漢");
    await user.put("source", { body: bytes.subarray(0, 3) });
    await user.put("branch", { headers: { "stream-forked-from": "/ds/source" } });
    const open = await openEvents(user.url("branch?offset=-1&live=sse"));
    await open.until(({ data }) => data() === "a");
    await user.post("source", { body: "other" });
    await user.post("branch", { body: bytes.subarray(3) });
    await open.until(({ data }) => data() === "a漢");
    open.close();
    expect(await (await user.get("branch")).text()).toBe("a漢");
  });

  it("keeps CR in catch-up and long-poll; in events each line break is a line feed, as their format has it", async () => {
    const { user } = server;
    const text = "one\r\ntwo\rthree\nfour";
    await user.put("breaks", { body: text });
    await user.post("breaks", { headers: { "stream-closed": "true" } });
    expect(await readText(user.url("breaks"), false)).toBe(text);
    expect(await readText(user.url("breaks"), "long-poll")).toBe(text);
    const open = await openEvents(user.url("breaks?offset=-1&live=sse"));
    await open.ended;
    expect(open.data()).toBe("one\ntwo\nthree\nfour");
  });

  it("keeps a byte order mark, a NUL and what is no UTF-8", async () => {
    const { user } = server;
    const bytes = Buffer.concat([Buffer.from("\uFEFFa\0b"), Buffer.of(0xff, 0xc3), Buffer.from("é")]);
    await user.put("odd");
    for (const part of [bytes.subarray(0, 6), bytes.subarray(6)]) await user.post("odd", { body: part });
    expect(Buffer.from(await (await user.get("odd")).arrayBuffer())).toEqual(bytes);
  });

  it("brings bytes exact, in base64, with `live: sse`", async () => {
    const { user } = server;
    const bytes = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7) % 256));
    await user.put("binary", { type: "application/octet-stream", body: bytes.subarray(0, 10) });
    const reading = readBytes(user.url("binary"), "sse");
    await user.post("binary", { type: "application/octet-stream", body: bytes.subarray(10) });
    await user.post("binary", { headers: { "stream-closed": "true" } });
    expect(await reading).toEqual(bytes);
  });

  it("brings what an `IdempotentProducer` sends, in order and once", async () => {
    const url = server.user.url("produced");
    const handle = await DurableStream.create({ url, contentType: "text/plain" });
    const producer = new IdempotentProducer(handle, "writer", { maxInFlight: 5, lingerMs: 0 });
    const reading = readText(url, "sse");
    for (const token of TOKENS) {
      producer.append(token);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await producer.close();
    expect(await reading).toBe(TOKENS.join(""));
  });
});

/** All of a stream's text until its end, as the client hands it out piece by piece. */
async function readText(url: string, live: LiveMode): Promise<string> {
  const response = await stream({ url, live, offset: "-1" });
  if (live === false) return response.text();
  let text = "";
  return new Promise((resolve, reject) => {
    response.subscribeText(({ text: piece, streamClosed }) => {
      text += piece;
      if (streamClosed) resolve(text);
    });
    response.closed.catch(reject);
  });
}

/** All of a stream's bytes until its end. */
async function readBytes(url: string, live: LiveMode): Promise<Buffer> {
  const response = await stream({ url, live, offset: "-1" });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.bodyStream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

import { DurableStream, stream } from "@durable-streams/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEvents } from "../support/stream-events.ts";
import { LONG_POLL_MS, nextOffset, startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer({ streams: { pollTimeoutMs: LONG_POLL_MS } })));
afterAll(() => server[Symbol.asyncDispose]());

const JSON_TYPE = "application/json";
/** Texts that a parse and a stringify would change. */
const MESSAGES = [
  "12345678901234567890",
  "1.0",
  "-0",
  "1E400",
  '{"a":1,"a":2}',
  '{"n": 1.10 , "s" : "\\u0041\\/\\ud800"}',
  `${"[".repeat(200)}1${"]".repeat(200)}`,
  '"a]b[,{}\\"\\\\"',
  '{ "\\u0061" :\t[ ] }',
  "null",
  '"漢 \u2028"',
];

describe("JSON (section 9.1)", () => {
  it("is served as the bytes that were written, one message at a time and in arrays", async () => {
    const { user } = server;
    await user.put("exact", { type: JSON_TYPE });
    for (const message of MESSAGES) await user.post("exact", { type: JSON_TYPE, body: `[ ${message} ]` });
    await user.post("exact", { type: JSON_TYPE, body: ` [${MESSAGES.join(" ,\n")}] ` });
    const response = await user.get("exact");
    expect(await response.text()).toBe(`[${[...MESSAGES, ...MESSAGES].join(",")}]`);
    expect(response.headers.get("content-type")).toBe(JSON_TYPE);
    expect(nextOffset(response)).toMatch(/_0{14}22$/);
  });

  it("is served so by events and long-polls, too", async () => {
    const { user } = server;
    await user.put("live", { type: JSON_TYPE });
    const open = await openEvents(user.url("live?offset=-1&live=sse"));
    const poll = user.get("live?offset=-1&live=long-poll");
    await user.post("live", { type: JSON_TYPE, body: `[${MESSAGES.join(",")}]` });
    expect(await (await poll).text()).toBe(`[${MESSAGES.join(",")}]`);
    await open.until(({ data }) => data() === `[${MESSAGES.join(",")}]`);
    open.close();
  });

  it("keeps a line break inside a message, and its events parse", async () => {
    const { user } = server;
    const pretty = JSON.stringify({ a: [1, { b: " x" }] }, undefined, 2);
    await user.put("pretty", { type: JSON_TYPE, body: pretty.replaceAll("\n", "\r\n") });
    expect(await (await user.get("pretty")).text()).toBe(`[${pretty.replaceAll("\n", "\r\n")}]`);
    const open = await openEvents(user.url("pretty?offset=-1&live=sse"));
    await open.until(({ events }) => events.length >= 2);
    expect(JSON.parse(open.data())).toEqual([JSON.parse(pretty)]);
    open.close();
  });

  it("is flattened by one level, and no more", async () => {
    const { user } = server;
    await user.put("flat", { type: JSON_TYPE, body: "[[1,2],[[3]]]" });
    await user.post("flat", { type: JSON_TYPE, body: "[[],[[]]]" });
    const response = await user.get("flat");
    expect(await response.text()).toBe("[[1,2],[[3]],[],[[]]]");
    expect(nextOffset(response)).toMatch(/_0{15}4$/);
  });

  it("is created empty by an empty array, and an append of one is refused", async () => {
    const { user } = server;
    expect((await user.put("none", { type: JSON_TYPE, body: " [ ] " })).status).toBe(201);
    expect((await user.post("none", { type: JSON_TYPE, body: "[\n]" })).status).toBe(400);
    expect(await (await user.get("none")).text()).toBe("[]");
  });

  it.each([
    "",
    "{",
    "[1,]",
    "[1]2",
    "NaN",
    "\uFEFF1",
    "'a'",
    "[1 2]",
    "01",
    "\u00001",
    "[".repeat(300) + "]".repeat(300),
  ])("refuses %j and stores nothing of it", async (body) => {
    const { user } = server;
    await user.put("strict", { type: JSON_TYPE });
    expect((await user.post("strict", { type: JSON_TYPE, body })).status).toBe(400);
    expect(await (await user.get("strict")).text()).toBe("[]");
  });

  it("refuses what is not UTF-8", async () => {
    const { user } = server;
    await user.put("utf8", { type: JSON_TYPE });
    const body = Buffer.concat([Buffer.from('"'), Buffer.of(0xc3), Buffer.from('"')]);
    expect((await user.post("utf8", { type: JSON_TYPE, body })).status).toBe(400);
  });

  it("comes through the protocol's client as it was sent", async () => {
    const url = server.user.url("client");
    const handle = await DurableStream.create({ url, contentType: JSON_TYPE });
    const values = [{ n: 1 }, [1, [2]], "text", null, 0];
    for (const value of values) await handle.append(JSON.stringify(value));
    await handle.close();
    for (const live of [false, "long-poll", "sse"] as const) {
      const response = await stream({ url, live, offset: "-1" });
      expect(await response.json()).toEqual(values);
    }
  });
});

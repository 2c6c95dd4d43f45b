import { DurableStream, IdempotentProducer, StaleEpochError } from "@durable-streams/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nextOffset, producerHeaders, startStreamServer } from "../support/streams.ts";
import type { StreamServer } from "../support/streams.ts";

let server: StreamServer;
beforeAll(async () => void (server = await startStreamServer()));
afterAll(() => server[Symbol.asyncDispose]());

/** An append of a producer, and what came of it. */
async function append(
  name: string,
  stamp: readonly [id: string, epoch: number, seq: number],
  more: { body?: string; closes?: boolean } = {},
) {
  const { body = `${stamp.join(".")};`, closes = false } = more;
  const headers = { ...producerHeaders(...stamp), ...(closes ? { "stream-closed": "true" } : {}) };
  const response = await server.user.post(name, { body, headers });
  const header = (field: string): string | null => response.headers.get(field);
  return {
    status: response.status,
    epoch: header("producer-epoch"),
    seq: header("producer-seq"),
    expected: header("producer-expected-seq"),
    received: header("producer-received-seq"),
    closed: header("stream-closed"),
  };
}
const textOf = async (name: string): Promise<string> => (await server.user.get(name)).text();

describe("idempotent producers (section 5.2.1)", () => {
  it("answer 200 to what is new and 204 to what is not, with the highest that was accepted", async () => {
    await server.user.put("dup");
    for (let seq = 0; seq < 4; seq += 1)
      expect(await append("dup", ["p", 0, seq])).toMatchObject({ status: 200, epoch: "0", seq: String(seq) });
    expect(await append("dup", ["p", 0, 1], { body: "another body" })).toMatchObject({
      status: 204,
      epoch: "0",
      seq: "3",
    });
    expect(await textOf("dup")).toBe("p.0.0;p.0.1;p.0.2;p.0.3;");
  });

  it("refuse a gap and say what is expected; what comes late in order is then taken", async () => {
    await server.user.put("gap");
    expect(await append("gap", ["p", 0, 2])).toMatchObject({ status: 409, expected: "0", received: "2" });
    await append("gap", ["p", 0, 0]);
    expect(await append("gap", ["p", 0, 2])).toMatchObject({ status: 409, expected: "1", received: "2" });
    for (const seq of [1, 2]) expect(await append("gap", ["p", 0, seq])).toMatchObject({ status: 200 });
    expect(await textOf("gap")).toBe("p.0.0;p.0.1;p.0.2;");
  });

  it("fence an earlier epoch, which a new one begins with 0 only", async () => {
    await server.user.put("fence");
    await append("fence", ["p", 0, 0]);
    expect(await append("fence", ["p", 3, 1])).toMatchObject({ status: 400 });
    expect(await append("fence", ["p", 3, 0])).toMatchObject({ status: 200, epoch: "3", seq: "0" });
    expect(await append("fence", ["p", 0, 1])).toMatchObject({ status: 403, epoch: "3" });
    expect(await append("fence", ["p", 3, 0])).toMatchObject({ status: 204, epoch: "3", seq: "0" });
  });

  it("take each of many concurrent repeats once, whoever comes first", async () => {
    await server.user.put("storm");
    const producers = ["a", "b", "c", "d", "e"];
    for (let seq = 0; seq < 10; seq += 1) {
      const answers = await Promise.all(
        producers.flatMap((id) => Array.from({ length: 4 }, () => append("storm", [id, 0, seq]))),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(producers.length);
      expect(answers.filter(({ status }) => status === 204)).toHaveLength(producers.length * 3);
    }
    const entries = (await textOf("storm")).split(";").slice(0, -1);
    expect(new Set(entries).size).toBe(entries.length);
    for (const id of producers) {
      expect(entries.filter((entry) => entry.startsWith(id))).toEqual(
        Array.from({ length: 10 }, (_, seq) => `${id}.0.${seq}`),
      );
    }
  });

  it("get 204 for the tuple that closed the stream, even with another body, and 409 for any other", async () => {
    await server.user.put("closed");
    await append("closed", ["p", 0, 0]);
    expect(await append("closed", ["p", 0, 1], { closes: true })).toMatchObject({
      status: 200,
      closed: "true",
    });
    for (const body of ["p.0.1;", "another", ""])
      expect(await append("closed", ["p", 0, 1], { closes: true, body })).toMatchObject({
        status: 204,
        closed: "true",
        seq: "1",
      });
    const refused = await append("closed", ["p", 0, 2]);
    expect(refused).toMatchObject({ status: 409, closed: "true" });
    // Without it the protocol's client sends the same batch for ever.
    expect(Number(refused.expected)).toBeGreaterThanOrEqual(2);
    expect(await append("closed", ["q", 0, 0])).toMatchObject({ status: 409, closed: "true" });
    expect(await textOf("closed")).toBe("p.0.0;p.0.1;");
  });

  it("are checked before the content type and `Stream-Seq`: a repeat is a success whatever else it says", async () => {
    await server.user.put("order");
    const headers = { ...producerHeaders("p", 0, 0), "stream-seq": "5" };
    expect((await server.user.post("order", { body: "a", headers })).status).toBe(200);
    expect((await server.user.post("order", { body: "a", headers })).status).toBe(204);
    expect((await server.user.post("order", { type: "application/json", body: "1", headers })).status).toBe(
      204,
    );
    const next = { ...producerHeaders("p", 0, 1), "stream-seq": "4" };
    expect((await server.user.post("order", { body: "b", headers: next })).status).toBe(409);
    // What was refused has not counted.
    expect((await server.user.post("order", { body: "b", headers: producerHeaders("p", 0, 1) })).status).toBe(
      200,
    );
  });

  it("are not inherited by a fork, nor is `Stream-Seq` (section 4.2)", async () => {
    await server.user.put("source");
    await server.user.post("source", {
      body: "a",
      headers: { ...producerHeaders("p", 7, 0), "stream-seq": "9" },
    });
    await server.user.put("fork", { headers: { "stream-forked-from": "/ds/source" } });
    const response = await server.user.post("fork", {
      body: "b",
      headers: { ...producerHeaders("p", 0, 0), "stream-seq": "1" },
    });
    expect(response.status).toBe(200);
    expect(await append("source", ["p", 7, 1])).toMatchObject({ status: 200 });
  });

  it("are forgotten with their stream: the next at its path begins anew", async () => {
    await server.user.put("reborn");
    await append("reborn", ["p", 4, 0]);
    await server.user.delete("reborn");
    await server.user.put("reborn");
    expect(await append("reborn", ["p", 0, 0])).toMatchObject({ status: 200, epoch: "0" });
  });

  it("end the client's own producer with an error where a later session, or an end, has come", async () => {
    const url = server.user.url("fenced");
    const handle = await DurableStream.create({ url, contentType: "text/plain" });
    const errors: Error[] = [];
    const onError = (error: Error): void => void errors.push(error);
    const old = new IdempotentProducer(handle, "w", { onError });
    old.append("old;");
    await old.flush();
    const next = new IdempotentProducer(handle, "w", { epoch: 1 });
    next.append("next;");
    await next.flush();
    old.append("zombie;");
    await old.flush();
    expect(errors[0]).toBeInstanceOf(StaleEpochError);
    const late = new IdempotentProducer(handle, "late", { onError });
    await next.close();
    late.append("late;");
    await late.flush();
    expect(errors).toHaveLength(2);
    expect(await textOf("fenced")).toBe("old;next;");
  });
});

describe("`Stream-Seq` (section 5.2)", () => {
  it("is compared byte by byte, and must grow", async () => {
    await server.user.put("seq");
    const send = async (seq: string): Promise<number> =>
      (await server.user.post("seq", { body: seq, headers: { "stream-seq": seq } })).status;
    for (const [seq, status] of [
      ["10", 204],
      ["10", 409],
      ["09", 409],
      ["1", 409],
      ["2", 204],
      ["19", 409],
      ["A", 204],
      ["a", 204],
      ["Z", 409],
      ["a0", 204],
      ["\u00e9", 204],
      ["z", 409],
    ] as const)
      expect(await send(seq), seq).toBe(status);
    expect(nextOffset(await server.user.head("seq"))).toMatch(/[1-9]$/);
  });

  it("takes one of many that are sent at once with the same one", async () => {
    await server.user.put("race");
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        server.user.post("race", { body: `${index};`, headers: { "stream-seq": "1" } }),
      ),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
    expect((await textOf("race")).split(";")).toHaveLength(2);
  });
});

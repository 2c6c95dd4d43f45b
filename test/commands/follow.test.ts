import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it } from "vitest";

import { follow } from "#src/commands/tail/follow.ts";
import type { FollowNotice } from "#src/commands/tail/follow.ts";
import { missedText } from "#src/commands/tail/missed-text.ts";
import type { TailStart } from "#src/commands/tail/tail-start.ts";
import { encodeOffset } from "#src/protocol/offset.ts";
import type { SseItem } from "#src/protocol/sse-parser.ts";
import { encodeEnding, SSE_KEEPALIVE } from "#src/protocol/sse.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

interface Followed {
  readonly data: string[];
  readonly notices: FollowNotice["kind"][];
  /** Why each connection ended. */
  readonly reasons: string[];
  /** The `Last-Event-ID` of each connection. */
  readonly starts: (string | undefined)[];
}

/** Follows a server that gives these answers, one after the other, until `until` data have come. */
async function followAnswers(
  answers: readonly Answer[],
  { until, start = {} }: { until: number; start?: TailStart },
): Promise<Followed> {
  const left = [...answers];
  const followed: Followed = { data: [], notices: [], reasons: [], starts: [] };
  const server = createServer((request, response) => {
    followed.starts.push(request.headers["last-event-id"]?.toString());
    left.shift()?.(response, request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const ending = new AbortController();
  const items: AsyncGenerator<SseItem> = follow({
    locate: () => Promise.resolve({ url, isInternal: true }),
    channel: "chat",
    params: new URLSearchParams(),
    start,
    onNotice: (notice) => {
      followed.notices.push(notice.kind);
      if (notice.kind === "reconnecting") followed.reasons.push(notice.reason);
    },
    signal: ending.signal,
  });
  try {
    for await (const item of items) {
      if (item.kind === "event") followed.data.push(item.data);
      if (followed.data.length === until) break;
    }
  } finally {
    ending.abort();
    server.closeAllConnections();
    server.close();
  }
  return followed;
}

const events =
  (text: string): Answer =>
  (response) =>
    response.writeHead(200, { "content-type": "text/event-stream" }).end(text);
const problem =
  (status: number, code: string, fields: object = {}): Answer =>
  (response) =>
    response.writeHead(status).end(JSON.stringify({ code, detail: `because ${code}`, ...fields }));
const cut =
  (text: string): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => response.destroy());
  };

const FAST = "retry: 1\n\n";

describe("missedText", () => {
  const id = (incarnation: number, position: number): string => encodeOffset({ incarnation, position });

  it.each([
    ["how many messages", { last: id(1, 3), oldest: id(1, 15) }, `12 messages after ${id(1, 3)}`],
    ["that it is one", { last: id(1, 3), oldest: id(1, 4) }, `1 message after ${id(1, 3)}`],
    ["that the stream is another", { last: id(1, 3), oldest: id(2, 0) }, `what came after ${id(1, 3)}`],
    ["nothing of an id ahead", { last: id(1, 9), oldest: id(1, 2) }, `what came after ${id(1, 9)}`],
    ["no more than is known", { last: undefined, oldest: id(1, 4) }, "some messages"],
  ])("says %s", (_, missed, text) => {
    expect(missedText(missed)).toBe(text);
  });
});

describe("follow", () => {
  it("comes back with the last id it has seen whole, also after an opening without messages", async () => {
    const { data, starts } = await followAnswers(
      [
        events(`${FAST}id: p0\n\n`),
        cut(`${FAST}id: p1\ndata: one\n\nid: p2\ndata: lost`),
        events(`${FAST}id: p2\ndata: two\n\n`),
      ],
      { until: 2 },
    );
    expect(data).toEqual(["one", "two"]);
    expect(starts).toEqual([undefined, "p0", "p1"]);
  });

  it("waits while the server is unavailable, once it has been there", async () => {
    const { data, notices } = await followAnswers(
      [
        events(`${FAST}id: p1\ndata: one\n\n`),
        problem(503, "app_unavailable"),
        (response) => response.destroy(),
        events("id: p2\ndata: two\n\n"),
      ],
      { until: 2 },
    );
    expect(data).toEqual(["one", "two"]);
    expect(notices).toEqual(["connected", "reconnecting", "connected"]);
  });

  it("says why the server has ended a connection, if it has said so at its end", async () => {
    const ending = encodeEnding({ retryMs: 1, reason: "server is restarting" });
    const { reasons } = await followAnswers(
      [
        events(`${FAST}id: p1\ndata: one\n\n${ending}`),
        events(`${ending}${SSE_KEEPALIVE}`),
        events(`${ending}id: p2\ndata: two\n\n`),
        cut(FAST),
        events("id: p3\ndata: three\n\n"),
      ],
      { until: 3 },
    );
    const none = "the connection ended";
    expect(reasons).toEqual(["server is restarting", none, none, none]);
  });

  it("tells of a gap and goes on with the oldest that is retained", async () => {
    const { data, notices, starts } = await followAnswers(
      [
        problem(410, "replay_window_exceeded", { oldest: "p7", newest: "p9" }),
        events("id: p8\ndata: eight\n\n"),
      ],
      { until: 1, start: { lastEventId: "p1" } },
    );
    expect(data).toEqual(["eight"]);
    expect(notices).toEqual(["gap", "connected"]);
    expect(starts).toEqual(["p1", "p7"]);
  });

  it.each([
    [503, "app_unavailable"],
    [403, "forbidden"],
  ])("fails at once if the first connection is answered with %i", async (status, code) => {
    await expect(followAnswers([problem(status, code)], { until: 1 })).rejects.toMatchObject({
      code,
      message: `because ${code}`,
    });
  });

  it("fails if it is refused later on", async () => {
    const answers = [events(FAST), problem(401, "unauthenticated")];
    await expect(followAnswers(answers, { until: 1 })).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

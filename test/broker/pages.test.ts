import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { SSE_ENCODING, WEBSOCKET_ENCODING } from "#src/broker/encoding.ts";
import { Pages } from "#src/broker/pages.ts";
import type { EncodedPageRequest } from "#src/broker/pages.ts";
import type { Offset } from "#src/protocol/offset.ts";
import type { Page, PageRequest } from "#src/broker/reader.ts";

/** When each message was stored. */
const TIME = 1_000;

/** A store with one message after each place, and the requests that it has got. */
function openPages(): { pages: Pages; asked: { path: string; request: PageRequest }[] } {
  const asked: { path: string; request: PageRequest }[] = [];
  const page = (path: string, request: PageRequest): Page => {
    asked.push({ path, request });
    if (request.notBefore > TIME) return { kind: "gone" };
    const { incarnation, position } = request.after;
    const entries = [{ position: position + 1, body: `"${path} ${position + 1}"` }];
    const offsetAt = (at: number): Offset => ({ incarnation, position: at });
    return { kind: "entries", entries, offsetAt, isTail: false, isClosed: false, time: TIME };
  };
  return { pages: new Pages({ page }), asked };
}

function requestOf(given: Partial<EncodedPageRequest> = {}): EncodedPageRequest {
  const after = { incarnation: 1, position: 0 };
  const { signal } = new AbortController();
  return {
    path: "chat",
    incarnation: 1,
    after,
    encoding: SSE_ENCODING,
    notBefore: () => 0,
    signal,
    ...given,
  };
}

it("reads again for another stream at the same path, which may have inherited the same beginning", async () => {
  const { pages, asked } = openPages();
  for (const incarnation of [3, 4]) await pages.read(requestOf({ path: "/fork", incarnation }), () => {});
  expect(asked).toHaveLength(2);
});

it("reads once for all who stand at the same place, and shares the bytes", async () => {
  const { pages, asked } = openPages();
  const read = await Promise.all(
    Array.from({ length: 100 }, () =>
      pages.read(requestOf(), (page) => page.kind === "entries" && page.bytes),
    ),
  );
  expect(asked).toHaveLength(1);
  expect(new Set(read).size).toBe(1);
});

it("reads anew for another stream, another place and another encoding", async () => {
  const { pages } = openPages();
  const others: Partial<EncodedPageRequest>[] = [
    {},
    { path: "news" },
    { after: { incarnation: 1, position: 1 } },
    { encoding: WEBSOCKET_ENCODING },
  ];
  const texts = await Promise.all(
    others.map((other) =>
      pages.read(requestOf(other), (page) => (page.kind === "entries" ? page.bytes.toString("latin1") : "")),
    ),
  );
  expect(texts.map((text) => /"(.*)"/.exec(text ?? "")?.[1])).toEqual([
    "chat 1",
    "news 1",
    "chat 2",
    "chat 1",
  ]);
  expect(texts.map((text) => text?.startsWith("id: "))).toEqual([true, true, true, false]);
});

it("does not show who may not go back as far what was read for somebody else", async () => {
  const { pages } = openPages();
  const kinds = [TIME, TIME + 1, TIME].map((since) =>
    pages.read(requestOf({ notBefore: () => since }), ({ kind }) => kind),
  );
  expect(await Promise.all(kinds)).toEqual(["entries", "gone", "entries"]);
});

it("lets everybody else have a turn after 2 ms, however many wait", async () => {
  const { pages } = openPages();
  const waiting = 5;
  let taken = 0;
  const all = Array.from({ length: waiting }, () =>
    pages.read(requestOf(), () => {
      const endAt = performance.now() + 3;
      while (performance.now() < endAt); // a peer with much to write to
      taken += 1;
    }),
  );
  const seen: number[] = [];
  for (let turn = 0; turn < waiting; turn += 1) {
    await nextTurn();
    seen.push(taken);
  }
  await Promise.all(all);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

it("fails only for whom it fails", async () => {
  const { pages } = openPages();
  const failing = pages.read(requestOf(), () => {
    throw new Error("this one");
  });
  const fine = pages.read(requestOf(), ({ kind }) => kind);
  await expect(failing).rejects.toThrow("this one");
  expect(await fine).toBe("entries");
});

it("reads nothing for who has left before its turn", async () => {
  const { pages, asked } = openPages();
  const leaving = new AbortController();
  const left = pages.read(requestOf({ signal: leaving.signal }), ({ kind }) => kind);
  const stays = pages.read(requestOf({ path: "news" }), ({ kind }) => kind);
  leaving.abort();
  expect(await Promise.all([left, stays])).toEqual([undefined, "entries"]);
  expect(asked.map(({ path }) => path)).toEqual(["news"]);
});

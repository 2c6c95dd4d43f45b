import { expect, it } from "vitest";
import { createFeed } from "#src/client/message-feed.ts";

const message = (id: number) => ({ id });

it("gives an iterator what comes after it was made, before its first `next` too", async () => {
  const feed = createFeed<{ id: number }>();
  feed.push(message(1));
  const iterator = feed.iterate();
  feed.push(message(2));
  feed.push(message(3));
  expect(await iterator.next()).toEqual({ done: false, value: { id: 2 } });
  expect(await iterator.next()).toEqual({ done: false, value: { id: 3 } });
  const next = iterator.next();
  feed.close(undefined);
  expect(await next).toEqual({ done: true, value: undefined });
});

it("waits no longer for an iterator that is given back unread", async () => {
  const feed = createFeed<{ id: number }>();
  const iterator = feed.iterate();
  for (let id = 0; id <= 1_000; id += 1) feed.push(message(id));
  expect(feed.isFull()).toBe(true);
  const room = feed.room();
  await iterator.return();
  await room;
  expect(feed.isFull()).toBe(false);
});

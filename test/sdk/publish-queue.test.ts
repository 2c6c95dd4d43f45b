import { expect, test } from "vitest";

import { PublishQueue } from "#src/sdk/publish-queue.ts";
import { ChanctlError } from "#src/shared/errors.ts";

test("gives up what has waited its time behind a batch that was given up, without another attempt", async () => {
  let fail: (error: ChanctlError) => void = () => {};
  const bodies: string[] = [];
  let isIdle = false;
  const queue = new PublishQueue({
    send: (body) => {
      bodies.push(body);
      return new Promise((_, reject) => {
        fail = reject;
      });
    },
    timeoutMs: 20,
    onIdle: () => (isIdle = true),
  });
  const first = queue.publish(1);
  await expect.poll(() => bodies).toEqual(["1"]);
  const behind = queue.publish(2);
  const error = new ChanctlError("cannot_connect", "nobody is there");
  const called = performance.now();
  await expect.poll(() => performance.now() - called).toBeGreaterThan(20);
  fail(error);
  await expect(first).rejects.toBe(error);
  await expect(behind).rejects.toBe(error);
  expect(bodies).toEqual(["1"]);
  await expect.poll(() => isIdle).toBe(true);
});

test("sends a batch for what has not had its time yet", async () => {
  const bodies: string[] = [];
  const queue = new PublishQueue({
    send: (body) => {
      bodies.push(body);
      if (bodies.length === 1) return Promise.reject(new ChanctlError("store_full", "no room"));
      return Promise.resolve(["7", "8"]);
    },
    timeoutMs: 60_000,
    onIdle: () => {},
  });
  const refused = queue.publish(1);
  await Promise.resolve(); // the first is on its way
  const later = [queue.publish(2), queue.publish(3)];
  await expect(refused).rejects.toMatchObject({ code: "store_full" });
  expect(await Promise.all(later)).toEqual(["7", "8"]);
  expect(bodies).toEqual(["1", "[2,3]"]);
});

import { json } from "node:stream/consumers";
import { afterEach, expect, test, vi } from "vitest";
import { publishBody } from "#src/sdk/publish.ts";
import { PublishQueue } from "#src/sdk/publish-queue.ts";
import { ChanctlError } from "#src/shared/errors.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import { shutGate } from "../support/gate.ts";
import { PATIENT } from "../support/patient.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

test("gives up what has waited its time behind a batch, without an attempt of its own", async () => {
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
  await expect(first).rejects.toMatchObject({ code: "cannot_connect" });
  await expect(behind).rejects.toMatchObject({
    code: "cannot_connect",
    message: "the broker must answer within 20 ms, got no answer",
  });
  fail(new ChanctlError("cannot_connect", "nobody is there"));
  await expect.poll(() => isIdle).toBe(true);
  expect(bodies).toEqual(["1"]);
});

test("gives up each at its own deadline, and goes on with the same batch for the others", async () => {
  // The deadlines are by a clock of the test's, the network and the pauses between attempts are real.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const held = shutGate();
  let isBack = false;
  const seen: { key: unknown; body: unknown }[] = [];
  await using broker = await startFixtureApp(async (request, response) => {
    const body = await json(request);
    if (!Array.isArray(body)) {
      await held.opened;
      response.end(JSON.stringify({ ids: ["6"] }));
      return;
    }
    seen.push({ key: request.headers["idempotency-key"], body });
    const problem = { code: "store_unavailable", detail: "the store is being opened" };
    if (isBack) response.end(JSON.stringify({ ids: ["7", "8"] }));
    else response.writeHead(503).end(JSON.stringify(problem));
  });
  vi.stubEnv("CHANCTL_URL", broker.url);
  vi.stubEnv("CHANCTL_TOKEN", "token");
  const queue = new PublishQueue({
    send: (body, options) => publishBody({ channel: "chat", query: "", body }, options),
    timeoutMs: 30_000,
    onIdle: () => {},
  });
  const first = queue.publish(0);
  await Promise.resolve(); // it is on its way
  const early = queue.publish(1).catch((error: unknown) => error);
  vi.advanceTimersByTime(20_000);
  const late = queue.publish(2);
  held.open();
  expect(await first).toBe("6");
  await vi.waitFor(() => expect(seen.length).toBeGreaterThan(1), PATIENT);
  vi.advanceTimersByTime(15_000);
  expect(await early).toMatchObject({ code: "store_unavailable" });
  isBack = true;
  expect(await late).toBe("8");
  expect(new Set(seen.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(seen[0]?.body).toEqual([1, 2]);
});

test("sends a batch for what has not had its time yet, and leaves no timer behind", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
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
  expect(vi.getTimerCount()).toBe(0);
});

import { expect } from "vitest";
import { PATIENT } from "./patient.ts";
import { jsonBody, toMessagesPath } from "./server.ts";
import type { ServerProcess } from "./server-process.ts";
import type { Subscriber } from "./subscriber-client.ts";

const MIB = 1_024 * 1_024;
/** 50 MB, more than the sockets' own buffers take: a server that went on pushing would hold the rest. */
const STALLED = 5;
const BATCHES = 100;
const BATCH = Array.from({ length: 10 }, () => ({ type: "m", data: "x".repeat(50_000) }));
const MESSAGES = BATCHES * BATCH.length;

/**
 * Publishes much to a public channel `chat` that some subscribers of it do not read: they hold up nobody, take no
 * memory of the server's, and miss nothing when they read on.
 */
export async function expectNobodyHeldUp(
  server: ServerProcess,
  connect: (path: string) => Promise<Subscriber>,
): Promise<void> {
  const path = "/channels/chat";
  const stalled = await Promise.all(Array.from({ length: STALLED }, () => connect(path)));
  for (const { pause } of stalled) pause();
  const reader = await connect(path);
  await publish(server, BATCH);
  const before = await server.memory();
  for (let batch = 1; batch < BATCHES; batch += 1) await publish(server, BATCH);
  const all = await reader.log.waitFor(MESSAGES);
  // What was on its way a moment ago is freed a moment later; what is kept for who does not read would stay.
  const kept = async (): Promise<number> => (await server.memory()) - before;
  await expect.poll(kept, PATIENT).toBeLessThan(20 * MIB);

  for (const { resume } of stalled) resume();
  for (const { log } of stalled) {
    const ids = (await log.waitFor(MESSAGES)).map(({ id }) => id);
    expect(ids).toEqual(all.map(({ id }) => id));
  }
  await publish(server, { type: "m", data: "live again" });
  for (const { log, close } of [reader, ...stalled]) {
    expect((await log.waitFor(MESSAGES + 1)).at(-1)?.json).toContain("live again");
    close();
  }
}

async function publish({ internalUrl, token }: ServerProcess, body: unknown): Promise<void> {
  const init = jsonBody(body, { authorization: `Bearer ${token}` });
  const response = await fetch(internalUrl + toMessagesPath("chat"), init);
  if (!response.ok) throw new Error(await response.text());
}

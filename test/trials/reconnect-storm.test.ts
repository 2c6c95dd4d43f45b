import { expect, it } from "vitest";
import { formatDuration } from "#src/shared/duration.ts";
import { jsonBody, toMessagesPath } from "../support/server.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import type { Follower } from "./follower.ts";
import { makeFollowers } from "./follower.ts";
import { byPost, Publishers } from "./publishers.ts";
import { startTrialApp } from "./trial-app.ts";
import { readStream, startTrialServer } from "./trial-server.ts";

const FOLLOWERS = 1_000;
const MISSED = 100;
const PUBLISHES_PER_SEC = 100;
const MAX_CALLS = 64;
/** So slow that many more calls would be under way at once if nothing held them back. */
const ANSWER_MS = 100;
/** `CHAOS=1` lets the same clients come back again and again. */
const STORMS = process.env["CHAOS"] ? 10 : 1;

type Start = () => Promise<ServerProcess>;

/** How everybody is cut off; the second makes the server to come back to. */
const DISASTERS: readonly {
  readonly disaster: string;
  readonly strike: (server: ServerProcess, start: Start) => Promise<ServerProcess>;
}[] = [
  { disaster: "the loss of every socket", strike: async (server) => server },
  { disaster: "kill -9 of the broker", strike: (server, start) => server.kill().then(start) },
];

it.for(DISASTERS)(
  "1,000 clients that come back at once after $disaster get all they missed, and the app is asked about each, a few at a time",
  { timeout: 120_000 * STORMS },
  async ({ strike }, { annotate }) => {
    const root = temporaryFolder();
    await using app = await startTrialApp({ answerMs: ANSWER_MS });
    const start: Start = () =>
      startTrialServer({ root, app: { url: app.url }, limits: { maxAuthorizeCalls: MAX_CALLS } });
    let server = await start();
    const followers = makeFollowers("user", FOLLOWERS);
    const stored = [...(await publishBatch(server))];
    await comeLive(followers, server, stored);
    await app.counts();

    for (let storm = 1; storm <= STORMS; storm += 1) {
      server = await strike(server, start);
      for (const follower of followers) follower.cut();
      stored.push(...(await publishBatch(server)));
      const publishers = new Publishers([byPost(server.internalUrl, server.token)], {
        perSec: PUBLISHES_PER_SEC,
      });
      const backAt = performance.now();
      await comeLive(followers, server, stored);
      const liveAfter = formatDuration(performance.now() - backAt);
      const { calls, mostAtOnce } = await app.counts();
      await publishers.stop();
      stored.push(...[...publishers.acknowledged.keys()].toSorted());

      expect(publishers.refused).toEqual([]);
      expect(calls, "calls to the app").toBe(FOLLOWERS);
      expect(mostAtOnce, "calls to the app at once").toBeLessThanOrEqual(MAX_CALLS);
      const { size } = publishers.acknowledged;
      await annotate(`all live after ${liveAfter}, ${size} publishes meanwhile, ${mostAtOnce} calls at once`);
    }

    const newest = stored.at(-1) ?? "";
    await Promise.all(followers.map((follower) => follower.reach(newest)));
    const stream = await readStream(server, newest);
    expect(stream.map(({ id }) => id)).toEqual(stored);
    expect(followers.map((follower) => follower.findFault(stream)).filter(Boolean)).toEqual([]);
    for (const follower of followers) follower.cut();
  },
);

/** Connects everybody at once, and waits until each has read what is stored. */
async function comeLive(
  followers: readonly Follower[],
  server: ServerProcess,
  stored: readonly string[],
): Promise<void> {
  const newest = stored.at(-1) ?? "";
  await Promise.all(
    followers.map(async (follower) => {
      await follower.connect(server.url);
      await follower.reach(newest);
    }),
  );
}

/** Publishes what the clients miss, as the app. @returns the ids. */
async function publishBatch({ internalUrl, token }: ServerProcess): Promise<readonly string[]> {
  const batch = Array.from({ length: MISSED }, (_, index) => ({ type: "missed", data: index }));
  const init = jsonBody(batch, { authorization: `Bearer ${token}` });
  const response = await fetch(internalUrl + toMessagesPath("chat"), init);
  const { ids } = (await response.json()) as { ids: string[] };
  return ids;
}

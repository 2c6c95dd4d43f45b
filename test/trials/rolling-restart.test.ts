import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { formatDuration } from "#src/shared/duration.ts";
import { bearer } from "../support/guarded-server.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { makeFollowers } from "./follower.ts";
import { byFrame, byPost, Publishers } from "./publishers.ts";
import type { Publish } from "./publishers.ts";
import { startTrialApp, TRIAL_APP_COMMAND } from "./trial-app.ts";
import { readStream, startTrialServer } from "./trial-server.ts";

const FOLLOWERS = 100;
const PUBLISHERS = 10;
const PUBLISHES_PER_SEC = 50;
/** Half by SSE, half by WebSocket. */
const NEWCOMERS = 4;
/** `CHAOS=1` restarts it often enough to be sure. */
const LONG = Boolean(process.env["CHAOS"]);
const LIMIT = { timeout: 300_000 };

/** The app under restart: how it is killed, and brought back if nobody else does it. */
interface Restarted {
  readonly kill: () => Promise<void> | void;
  readonly start: () => Promise<void> | void;
}

describe("an app that is killed again and again under load", () => {
  // Killed more often than every 10 s it is a crashing app, which the supervisor starts later each time.
  it("is brought back by the supervisor, and no stream notices", LIMIT, async ({ annotate }) => {
    const root = temporaryFolder();
    const command = { command: TRIAL_APP_COMMAND, port: 0 };
    const server = await startTrialServer({ root, app: command, onPublish: true });
    const app: Restarted = { kill: () => killSupervised(root), start: () => {} };
    const times = LONG ? { restarts: 10, apartMs: 10_500 } : { restarts: 3, apartMs: 200 };
    await annotate(await trial(server, { app, ...times }));
  });

  it("is brought back by somebody else (`app.url`), and no stream notices", LIMIT, async ({ annotate }) => {
    await using app = await startTrialApp();
    const root = temporaryFolder();
    const server = await startTrialServer({ root, app: { url: app.url }, onPublish: true });
    await annotate(await trial(server, { app, restarts: LONG ? 40 : 10, apartMs: 200 }));
  });
});

/** Restarts the app under load, and checks that nothing came of it. @returns what it came to, in words. */
async function trial(
  server: ServerProcess,
  { app, restarts, apartMs }: { app: Restarted; restarts: number; apartMs: number },
): Promise<string> {
  const followers = makeFollowers("follower", FOLLOWERS);
  await Promise.all(followers.map((follower) => follower.connect(server.url)));
  const publishers = new Publishers(await openWays(server.url), { perSec: PUBLISHES_PER_SEC });
  const waits: number[] = [];
  for (let restart = 1; restart <= restarts; restart += 1) {
    await sleep(apartMs); // so long the app runs under load
    await app.kill();
    const newcomers = makeFollowers(`newcomer-${restart}`, NEWCOMERS);
    const served = newcomers.map(async (newcomer) => {
      const knockedAt = performance.now();
      await newcomer.connect(server.url);
      waits.push(performance.now() - knockedAt);
    });
    await sleep(50); // the first of them are refused by the port itself
    await app.start();
    await Promise.all(served);
    followers.push(...newcomers);
  }
  await publishers.stop();
  await Promise.all(followers.map((follower) => follower.reach(publishers.newest)));
  const stream = await readStream(server, publishers.newest);

  expect(publishers.refused, "refusals").toEqual([]);
  expect(publishers.findFault(stream)).toBeUndefined();
  expect(followers.flatMap(({ endings }) => endings)).toEqual([]);
  expect(followers.map((follower) => follower.findFault(stream)).filter(Boolean)).toEqual([]);
  for (const follower of followers) follower.cut();
  const longest = formatDuration(Math.max(...waits));
  return `${restarts} restarts, ${publishers.acknowledged.size} publishes acknowledged, ${waits.length} newcomers served after at most ${longest}`;
}

/** Clients that publish, by POST and by frames in turn. */
async function openWays(url: string): Promise<Publish[]> {
  const ways: Publish[] = [];
  for (let index = 0; index < PUBLISHERS; index += 2) {
    ways.push(byPost(url, `poster-${index}`));
    ways.push(byFrame(await openWebSocket(`${url}/channels/chat`, { headers: bearer(`speaker-${index}`) })));
  }
  return ways;
}

/** Kills the app's process groups, which the supervisor has written down. */
function killSupervised(root: string): void {
  const groups = JSON.parse(readFileSync(join(root, ".chanctl", "app.pid"), "utf8")) as { pid: number }[];
  for (const { pid } of groups) process.kill(-pid, "SIGKILL");
}

import { expect, it } from "vitest";
import { ChanctlError } from "#src/shared/errors.ts";
import { bearer } from "../support/guarded-server.ts";
import { PATIENT } from "../support/patient.ts";
import { Refusal } from "../support/subscriber-client.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { makeFollowers } from "./follower.ts";
import type { Follower } from "./follower.ts";
import { byFrame, byPost, Publishers } from "./publishers.ts";
import { startTrialApp } from "./trial-app.ts";
import { readStream, startTrialServer } from "./trial-server.ts";

const FOLLOWERS = 20;
const PUBLISHES_PER_SEC = 50;
/** `CHAOS=1`: the app fails in each way again and again for a minute. */
const TRIAL_MS = process.env["CHAOS"] ? 60_000 : 0;
const UNAVAILABLE = new ChanctlError("app_unavailable", "");

it(
  "streams go on while the app hangs, answers garbage or dies with calls under way; who comes is refused as unavailable or waits; and the app need only be well again",
  { timeout: 60_000 + 3 * TRIAL_MS },
  async ({ annotate }) => {
    await using app = await startTrialApp();
    const server = await startTrialServer({ root: temporaryFolder(), app: { url: app.url } });
    const speaker = await openWebSocket(`${server.url}/channels/chat`, { headers: bearer("speaker") });
    const post = byPost(server.url, "poster");
    const publishers = new Publishers([post, byFrame(speaker)], { perSec: PUBLISHES_PER_SEC });
    const followers: Follower[] = [];
    const serve = async (newcomers: readonly Follower[]): Promise<void> => {
      await Promise.all(newcomers.map((newcomer) => newcomer.connect(server.url)));
      followers.push(...newcomers);
    };
    await serve(makeFollowers("follower", FOLLOWERS));

    const endAt = performance.now() + TRIAL_MS;
    let rounds = 0;
    do {
      rounds += 1;
      for (const illness of ["hangs", "garbage"] as const) {
        await app.become(illness);
        const refused = makeFollowers(`refused-${rounds}`, 2).map((newcomer) => newcomer.connect(server.url));
        expect(await refusalsOf(refused)).toEqual([UNAVAILABLE.status, UNAVAILABLE.closeCode]);
        await app.become("none");
        await serve(makeFollowers(`${illness}-${rounds}`, 2));
      }
      // Its calls under way die with it: they were not answered, and are made again once it is back.
      await app.become("hangs");
      await app.counts();
      const waiting = serve(makeFollowers(`waiting-${rounds}`, 2));
      await expect.poll(async () => (await app.counts()).calls, PATIENT).toBeGreaterThan(0);
      await app.kill();
      await app.start();
      await waiting;
    } while (performance.now() < endAt);
    const refusedBefore = publishers.refused.length;
    await publishers.publish(post);
    expect(publishers.refused).toHaveLength(refusedBefore);

    await publishers.stop();
    await Promise.all(followers.map((follower) => follower.reach(publishers.newest)));
    const stream = await readStream(server, publishers.newest);
    expect(publishers.findFault(stream)).toBeUndefined();
    expect(new Set(publishers.refused)).toEqual(new Set([UNAVAILABLE.code]));
    expect(followers.flatMap(({ endings }) => endings)).toEqual([]);
    expect(followers.map((follower) => follower.findFault(stream)).filter(Boolean)).toEqual([]);
    for (const follower of followers) follower.cut();
    speaker.close();
    const { acknowledged, refused } = publishers;
    await annotate(
      `${rounds} rounds, ${acknowledged.size} publishes acknowledged, ${refused.length} refused`,
    );
  },
);

/** The statuses and close codes of connections that are all refused. */
async function refusalsOf(connecting: readonly Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(connecting);
  return outcomes.map((outcome) =>
    outcome.status === "rejected" && outcome.reason instanceof Refusal ? outcome.reason.number : outcome,
  );
}

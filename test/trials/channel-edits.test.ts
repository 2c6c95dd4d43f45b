import { expect, it } from "vitest";

import { Choices } from "../support/choices.ts";
import { PATIENT } from "../support/patient.ts";
import { requirePrograms } from "../support/requires.ts";
import { EDITS } from "./channel-edits.ts";
import type { Edit } from "./channel-edits.ts";
import { startEditedProject } from "./edited-project.ts";
import { makeFollowers } from "./follower.ts";
import { byPost, Publishers } from "./publishers.ts";
import { readStream } from "./trial-server.ts";

/** `CHAOS=1`: 200 edits; `CHAOS_SEED` repeats a run. */
const EDIT_COUNT = process.env["CHAOS"] ? 200 : 60;
const PUBLISHES_PER_SEC = 50;

it(
  "ends right after every edit, rename, deletion and checkout; ends only the connections that must end, with the right code; and streams go on",
  { timeout: 120_000 + EDIT_COUNT * 5_000 },
  async (context) => {
    requirePrograms(context, "git");
    const seed = Number(process.env["CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`channel edits: CHAOS_SEED=${seed}`);
    await using project = await startEditedProject();
    const { server, audience, files } = project;
    const publishers = new Publishers([byPost(server.url, "anybody")], { perSec: PUBLISHES_PER_SEC });
    const followers = makeFollowers("follower", 4);
    for (const follower of followers) await follower.connect(server.url);

    const choices = new Choices(seed);
    const trail: string[] = [];
    try {
      for (let count = 0; count < EDIT_COUNT; count += 1) {
        const edit: Edit = choices.oneOf(EDITS);
        trail.push(edit.title);
        const before = await project.list();
        const logged = project.log.length;
        await edit.run({ files, choices });
        await project.settle();
        const after = await project.list();
        const events = project.log.slice(logged);
        expect(await audience.findFault({ before, after, edit, events })).toBeUndefined();
        await audience.fill(after);
        await project.expectDelivery(after);
        for (const follower of followers) {
          if (follower.endings.length === 0) continue;
          expect(edit.reach).toBe("folder");
          expect(follower.endings).toMatchObject([{ title: "no such channel" }]);
          follower.endings.length = 0;
          follower.cut();
          await follower.connect(server.url);
        }
      }
    } catch (error) {
      console.log(`CHAOS_SEED=${seed}, edit ${trail.length}:\n${trail.slice(-6).join("\n")}`);
      throw error;
    }

    await publishers.stop();
    await Promise.all(followers.map((follower) => follower.reach(publishers.newest)));
    const stream = await readStream(server, publishers.newest);
    expect(publishers.findFault(stream)).toBeUndefined();
    expect(new Set([...publishers.refused, "channel_unknown"])).toEqual(new Set(["channel_unknown"]));
    expect(followers.map((follower) => follower.findFault(stream)).filter(Boolean)).toEqual([]);
    for (const follower of followers) follower.cut();
    const latencies = project.latencies.toSorted((a, b) => a - b);
    const [median, p95] = [0.5, 0.95].map((share) => latencies[Math.floor(latencies.length * share)]);
    await context.annotate(
      `seed ${seed}: ${EDIT_COUNT} edits, ${publishers.acknowledged.size} publishes; live after ${median} ms (p95 ${p95} ms)`,
    );
    await expect.poll(() => project.leftBundles(), PATIENT).toEqual([]);
    expect(await project.end()).toEqual({ code: 130, bugs: [] });
  },
);

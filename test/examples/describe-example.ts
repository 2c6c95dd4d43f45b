import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bearer } from "../support/guarded-server.ts";
import { findProgram, requirePrograms } from "../support/requires.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { describeApp } from "./describe-app.ts";
import { describeClient } from "./describe-client.ts";
import { describePage } from "./describe-page.ts";
import { copyExample, serveExample, signIn } from "./example.ts";
import type { Example, ExampleProject, RunningExample, ServedExample } from "./example.ts";

/** What every example must do, whatever it is written in. */
export function describeExample(example: Example): void {
  describe(`the chat in ${example.name}`, { timeout: 120_000 }, () => {
    let project: ExampleProject;
    let served: ServedExample;

    beforeAll(async () => {
      if (!example.programs.every(findProgram)) return;
      project = await copyExample(example);
      served = await serveExample(project);
    }, 180_000);
    afterAll(async () => {
      await served?.[Symbol.asyncDispose]();
      await project?.[Symbol.asyncDispose]();
    });
    beforeEach((context) => requirePrograms(context, ...example.programs));

    const running: RunningExample = {
      get project() {
        return project;
      },
      get served() {
        return served;
      },
      killAndStart: async () => {
        await served.end("SIGKILL");
        served = await serveExample(project, { port: new URL(served.url).port });
      },
    };
    describeApp(running);
    describeClient(running);
    describePage(running);

    it("runs with `chanctl dev --no-tls`, too", async () => {
      await using own = await copyExample(example);
      await using dev = await serveExample(own, { command: ["dev", "--no-tls"] });
      const session = await signIn(dev.url, { name: "ada" });
      const subscriber = await sseClient.connect(
        `${dev.url}/channels/chat?room=lobby&last_message_id=start`,
        {
          headers: bearer(session),
        },
      );
      expect(await subscriber.log.dataOf(1)).toEqual([{ text: "ada came in" }]);
      subscriber.close();
    });
  });
}

import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PATIENT } from "../support/patient.ts";
import { bearer } from "../support/guarded-server.ts";
import { startTestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const APP = fileURLToPath(new URL("./fixtures/allows-all.mjs", import.meta.url));

it("keeps its streams up while the app is killed, and lets newcomers in once it is back", async () => {
  await using server = await startTestServer({
    channels: { guarded: { transport: "ws", auth: { headerName: "authorization" } } },
    app: { command: `"${process.execPath}" "${APP}"`, port: 0 },
    authorizeRetryMs: 25_000,
  });
  const url = `${server.url}/channels/guarded`;
  const headers = bearer("any");
  // The app may still be starting: the call waits for it.
  const [sse, webSocket] = await Promise.all([openSse(url, { headers }), openWebSocket(url, { headers })]);

  const pid = server.running.app?.pid;
  expect(pid).toBeGreaterThan(0);
  process.kill(-(pid ?? 0), "SIGKILL"); // the shell and what it runs: the app alone would still answer
  const newcomer = openSse(url, { headers });
  webSocket.send({ type: "m", data: "while it is down", ref: 1 });
  expect(await webSocket.control({ ref: 1 })).toMatchObject({ control: "ack" });
  expect(await sse.log.dataOf(1)).toEqual(["while it is down"]);

  const { log, close } = await newcomer;
  expect(server.running.app?.pid).not.toBe(pid);
  await server.publish("guarded", { type: "m", data: "back" });
  // It may have been let in before what was said while the app was down.
  await expect.poll(async () => (await log.dataOf(1)).at(-1), PATIENT).toBe("back");
  for (const subscriber of [sse, webSocket]) subscriber.close();
  close();
});

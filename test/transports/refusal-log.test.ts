import { expect, it } from "vitest";

import { PATIENT } from "../support/patient.ts";
import { startTestServer } from "../support/server.ts";

it("tells the log which channel was probably meant, and the client of none", async () => {
  await using server = await startTestServer({ channels: { chat: { public: true } } });
  const response = await fetch(`${server.url}/channels/cht`);
  expect(response.status).toBe(404);
  expect(await response.text()).not.toContain("chat");
  const refused = server.logged.find(({ event }) => event === "refused");
  expect(refused?.message).toBe("refused cht to 127.0.0.1: no such channel: did you mean `chat`?");
});

it("says that the file of a channel does not load, not that another was meant", async () => {
  await using server = await startTestServer({
    channels: { chat: { public: true }, chats: "export default {" },
    watch: true,
  });
  await fetch(`${server.url}/channels/chats`);
  const told = (): unknown => server.logged.find(({ event }) => event === "refused")?.message;
  await expect
    .poll(told, PATIENT)
    .toBe("refused chats to 127.0.0.1: no such channel: its file does not load");
});

import { spawn } from "node:child_process";
import type { ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { json, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { kill } from "../support/child.ts";
import { startApp, startFront } from "./fronts.ts";
import { eventually } from "./support.ts";

const MAX_UNANSWERED = 1_024;

test("bounds the requests that the app does not answer, and says that it may be asking itself", async () => {
  const waiting: ServerResponse[] = [];
  const { origin } = await startApp((request, response) => {
    if (request.url === "/stream") response.flushHeaders();
    else waiting.push(response);
  });
  const front = await startFront("http/1.1", origin);
  const streams = Array.from({ length: 100 }, async () => front.ask({ path: "/stream" }));
  await Promise.all(streams); // are answered, and take no room
  const asked = Array.from({ length: MAX_UNANSWERED }, async () => front.ask());
  await eventually(() => expect(waiting.length).toBe(MAX_UNANSWERED));

  const refused = await front.ask();
  expect(refused.status).toBe(503);
  expect(refused.headers["retry-after"]).toBe("1");
  expect(await json(refused.body)).toMatchObject({
    code: "app_unavailable",
    detail: expect.stringMatching(/1024 requests already .* asking itself/),
  });
  expect(front.log.map(({ event }) => event)).toEqual(["app-overloaded"]);

  for (const response of waiting.splice(0)) response.end("late");
  for (const reply of await Promise.all(asked)) expect(await text(reply.body)).toBe("late");
  const again = front.ask();
  await eventually(() => expect(waiting.length).toBe(1));
  waiting[0]?.end("there");
  expect(await text((await again).body)).toBe("there");
});

test.skipIf(process.platform === "win32")("names its own limit of open files, and not the app", async () => {
  const { origin } = await startApp((_request, response) => void response.end("never asked"));
  const fixture = fileURLToPath(new URL("fixtures/out-of-files.mjs", import.meta.url));
  const command = 'ulimit -n 64 && exec "$0" "$1" "$2"';
  const args = ["-c", command, process.execPath, fixture, new URL(origin).port];
  const child = spawn("/bin/sh", args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => kill(child));
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(line));
  await eventually(() => expect(lines).toContain("full"));
  const reply = await fetch(`http://127.0.0.1:${lines[0]}/`);
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({
    code: "app_unavailable",
    detail: "chanctl may open no more files and connections (EMFILE)",
  });
  await eventually(() => expect(lines).toContain("out-of-files"));
});

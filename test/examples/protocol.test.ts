import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { parseDurationMs } from "#src/shared/duration.ts";
import { ERRORS } from "#src/shared/errors.ts";
import type { ErrorRow } from "#src/shared/errors.ts";
import { LIFECYCLE } from "#src/shared/lifecycle.ts";
import { DEFAULT_LIMITS } from "#src/shared/limits.ts";
import { parseSizeBytes } from "#src/shared/size.ts";
import { startTestApp } from "../support/app-answers.ts";
import { bearer } from "../support/guarded-server.ts";
import { findProgram, requirePrograms } from "../support/requires.ts";
import { jsonBody, startTestServer } from "../support/server.ts";
import { openSse } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";
import { copyExample, serveExample, signIn } from "./example.ts";
import type { ExampleProject, ServedExample } from "./example.ts";
import { normalize, readProtocolPage } from "./protocol-page.ts";
import type { Command } from "./protocol-page.ts";

const PAGE = readProtocolPage();

describe("the exchanges of docs/protocol.md", { timeout: 60_000 }, () => {
  const programs = ["python3", "curl", "bash"];
  let project: ExampleProject;
  let served: ServedExample;
  let variables: Readonly<Record<string, string>>;

  beforeAll(async () => {
    if (!programs.every(findProgram)) return;
    const prepare = async () => ({ app: [], client: [] });
    project = await copyExample({ name: "python", programs, prepare });
    served = await serveExample(project);
    variables = {
      URL: served.url,
      APP: `http://127.0.0.1:${served.appPort}`,
      CHANCTL_URL: served.internalUrl,
      CHANCTL_TOKEN: (await readFile(join(project.folder, ".chanctl", "token"), "utf8")).trim(),
      SESSION: await signIn(served.url, { name: "ada", room: "elsewhere" }),
    };
  });
  afterAll(async () => {
    await served?.[Symbol.asyncDispose]();
    await project?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => requirePrograms(context, ...programs));

  it.each(PAGE.commands)("$command", async (command) => {
    expect(normalize(await run(command, variables))).toBe(normalize(command.output));
  });

  it("has a message as clients get it", async () => {
    const reader = await openSse(`${served.url}/channels/chat?room=lobby`, { headers: bearer(session()) });
    const message = { type: "message", data: { text: "hello" } };
    const url = `${served.url}/channels/chat/messages?room=lobby`;
    expect((await fetch(url, jsonBody(message, bearer(session())))).status).toBe(200);
    const [received] = await reader.log.waitFor(1);
    expect(normalize(received?.json ?? "")).toBe(normalize(PAGE.block("json message")).trim());
    reader.close();
  });

  it("has a WebSocket's frames as they are", async () => {
    const info = "text websocket /channels/chat?room=hall";
    const url = served.url.replace("http", "ws") + info.slice("text websocket ".length);
    const webSocket = new WebSocket(url, ["chanctl.v1"], { headers: bearer(session()) });
    const received: string[] = [];
    webSocket.on("message", (data: Buffer) => received.push(normalize(data.toString())));
    const expected: string[] = [];
    for (const line of PAGE.block(info).trim().split("\n")) {
      if (line.startsWith("< ")) {
        expected.push(normalize(line.slice(2)));
        continue;
      }
      await expect.poll(() => received.length, { timeout: 20_000 }).toBe(expected.length);
      webSocket.send(line.slice(2));
    }
    await expect.poll(() => received.length, { timeout: 20_000 }).toBe(expected.length);
    expect(received.toSorted()).toEqual(expected.toSorted());
    webSocket.terminate();
  });

  it("has the channel of the examples, which have the same page", async () => {
    const chat: unknown = JSON.parse(PAGE.block("json channels/chat.json"));
    for (const name of ["python", "go"]) {
      const path = new URL(`../../examples/${name}/channels/chat.json`, import.meta.url);
      expect(JSON.parse(await readFile(path, "utf8"))).toEqual(chat);
    }
    const pages = ["python", "go"].map((name) =>
      readFile(new URL(`../../examples/${name}/index.html`, import.meta.url), "utf8"),
    );
    expect(await pages[0]).toBe(await pages[1]);
  });

  const session = (): string => variables["SESSION"] ?? "";
});

describe("the calls of docs/protocol.md", () => {
  const chat = JSON.parse(PAGE.block("json channels/chat.json")) as Record<string, unknown>;
  const caller = {
    authorization: "Bearer abc",
    cookie: "session=def",
    origin: "https://shop.example",
    "user-agent": "curl/8.0",
  };

  it.each([
    ["authorize", "subscribe"],
    ["on-publish", "publish"],
  ])("has the %s call as the app gets it", async (call) => {
    await using app = await startTestApp(({ path }) =>
      path === "/channels/authorize" ? JSON.parse(PAGE.block("json authorize-yes")) : { ok: true },
    );
    await using server = await startTestServer({
      channels: { chat },
      app: { url: app.url },
      allowedOrigins: [caller.origin],
    });
    const { close, controls } = await openWebSocket(`${server.url}/channels/chat?room=lobby`, {
      headers: caller,
    });
    expect(controls[0]).toMatchObject({ control: "ready", subject: "u1" });
    close();
    const message = { type: "message", data: { text: "hi" } };
    const url = `${server.url}/channels/chat/messages?room=lobby`;
    expect((await fetch(url, jsonBody(message, caller))).status).toBe(200);
    const [head = "", body = ""] = PAGE.block(`http ${call}`).split("\n\n");
    const got = app.calls.find(({ path }) => path === `/channels/${call}`);
    expect(head.split("\n")[0]).toBe(`POST ${got?.path} HTTP/1.1`);
    expect(head).toContain(`Authorization: ${got?.authorization?.replace(server.token, "<CHANCTL_TOKEN>")}`);
    expect(got?.body).toEqual(JSON.parse(body));
  });

  it("has a refusal as the client gets it", async () => {
    const no = JSON.parse(PAGE.block("json authorize-no")) as { status: number; reason: string };
    await using app = await startTestApp(() => no);
    await using server = await startTestServer({ channels: { chat }, app: { url: app.url } });
    await expect(
      openSse(`${server.url}/channels/chat?room=lobby`, { headers: bearer("abc") }),
    ).rejects.toMatchObject({ number: no.status, fields: { detail: no.reason } });
  });
});

/** Errors of Durable Streams, whose own protocol says what they mean. */
const OF_STREAMS =
  /^(?:token|stream|producer|seq|offset|media_type|subscription|webhook|already_claimed|no_pending|fenced|invalid|keys)_?/;

describe("the tables of docs/protocol.md", () => {
  it("has every status and close code, each with what to do", () => {
    const order = ["resume", "wait", "sign-in", "afresh", undefined] as const;
    const rows = Object.entries(ERRORS).flatMap(([code, row]): ErrorRow[] =>
      OF_STREAMS.test(code) ? [] : [row],
    );
    const expected = order.map((reconnect) => {
      const closes = rows.flatMap((row) => (row.reconnect === reconnect ? (row.close ?? []) : []));
      // A refused request has had no connection that it could resume at once.
      const statuses = rows.flatMap((row) =>
        (row.reconnect === "resume" ? "wait" : row.reconnect) === reconnect ? (row.status ?? []) : [],
      );
      return [statuses, closes].map(toSorted);
    });
    expect(PAGE.table("what to do").map(([, ...cells]) => cells.map(toNumbers))).toEqual(expected);
  });

  it("has every limit with its default", () => {
    const documented = PAGE.table("limit").map(([limit, value = ""]) => [limit, toValue(value)]);
    expect(Object.fromEntries(documented)).toEqual(DEFAULT_LIMITS);
  });

  it("has every setting of a stream's life with its default", () => {
    const documented = PAGE.table("key")
      .filter(([key = ""]) => key in LIFECYCLE)
      .map(([key, , value = ""]) => [key, toValue(value)]);
    const defaults = Object.entries(LIFECYCLE).map(([key, bounds]) => [key, bounds.default]);
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(defaults));
  });
});

/** Runs a command as the reader does. One that goes on (`curl -N`) is ended once it has printed as much as it should. */
async function run(
  { command, output }: Command,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn("bash", ["-c", command], { env: { ...process.env, ...variables }, detached: true });
  const closed = once(child, "close");
  const end = (): void => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid);
  };
  onTestFinished(end);
  let printed = "";
  child.stderr.resume();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    if (/ -\w*N/.test(command) && printed.length >= output.length) end();
  });
  await closed;
  return printed.endsWith("\n") ? printed : `${printed}\n`;
}

function toNumbers(cell: string): number[] {
  return cell === "–" ? [] : cell.split(", ").map(Number);
}

function toSorted(codes: readonly number[]): number[] {
  return [...new Set(codes)].toSorted((a, b) => a - b);
}

function toValue(cell: string): number | undefined {
  return /^\d+$/.test(cell) ? Number(cell) : (parseDurationMs(cell) ?? parseSizeBytes(cell));
}

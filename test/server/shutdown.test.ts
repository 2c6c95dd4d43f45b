import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startTestApp } from "../support/app-answers.ts";
import { shutGate } from "../support/gate.ts";
import { makeTestCertificates } from "../support/certificates.ts";
import { PUBLIC_ROOMS, startTestServer, toMessagesPath } from "../support/server.ts";
import { sseClient } from "../support/subscriber-client-sse.ts";
import { openWebSocket } from "../support/subscriber-client-websocket.ts";

const MESSAGE = { type: "m", data: 1 };

describe("a server that closes", () => {
  it("answers what it has taken, durably, before it is gone", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const { send, control, log } = await openWebSocket(`${server.url}/channels/chat`);
    send({ ...MESSAGE, ref: "ws" });
    await control({ ref: "ws" });
    const posting = server.publish("chat", MESSAGE);
    await server.running.close();
    await log.ended;
    const outcome = await posting.catch((error: unknown) => error);
    const stored = Array.isArray(outcome) ? 2 : 1;
    await using again = await startTestServer({ root: server.root });
    const { log: replayed, close } = await sseClient.connect(
      `${again.url}/channels/chat?last_message_id=start`,
    );
    expect((await replayed.waitFor(stored)).length).toBeGreaterThanOrEqual(stored);
    close();
  });

  it("does not wait for peers that never answer", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const silent = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    const upload = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    upload.write(
      `POST ${toMessagesPath("chat")} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
    );
    await Promise.all([silent, upload].map((socket) => once(socket, "connect")));
    const deaf = await openWebSocket(`${server.url}/channels/chat`);
    deaf.pause();
    await server.running.close();
    for (const socket of [silent, upload]) {
      socket.on("error", () => {}).resume();
      if (!socket.closed) await once(socket, "close");
    }
    deaf.resume();
    await deaf.log.ended;
  });

  it("waits in `dev` for what channels have under way, and hardly for the app", async () => {
    const asked = shutGate();
    await using app = await startTestApp(({ path }, response) => {
      if (path === "/page") return void response.write("an answer without end");
      asked.open();
      return undefined;
    });
    const channels = { chat: { ...PUBLIC_ROOMS, onPublish: true } };
    await using server = await startTestServer({ channels, app: { url: app.url }, watch: true });
    const { send, log } = await openWebSocket(`${server.url}/channels/chat`);
    send({ ...MESSAGE, ref: 1 });
    await asked.opened;
    const page = await fetch(`${server.url}/page`);
    const ended: string[] = [];
    const ends = [log.ended.then(() => ended.push("channel")), page.text().catch(() => ended.push("page"))];
    await server.running.close();
    await Promise.all(ends);
    expect(ended).toEqual(["page", "channel"]);
  });

  it("takes run.json away and gives the store free; a second close does nothing", async () => {
    await using server = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    const runFile = join(server.root, ".chanctl", "run.json");
    expect(existsSync(runFile)).toBe(true);
    await expect(startTestServer({ root: server.root })).rejects.toMatchObject({ code: "store_in_use" });
    await Promise.all([server.running.close(), server.running.close()]);
    await server.running.close();
    expect(existsSync(runFile)).toBe(false);
    await using again = await startTestServer({ root: server.root });
    expect((await fetch(`${again.url}/channels/nope`)).status).toBe(404);
  });

  it("keeps its internal port for the next run", async () => {
    await using server = await startTestServer();
    await server.running.close();
    await using again = await startTestServer({ root: server.root });
    expect(again.internalUrl).toBe(server.internalUrl);
  });

  it("leaves nothing open: the process ends by itself", async () => {
    await using certificates = await makeTestCertificates();
    await using app = await startTestApp(() => ({ ok: true }));
    await using project = await startTestServer({ channels: { chat: PUBLIC_ROOMS } });
    await project.running.close();
    const options = { root: project.root, tls: certificates.tls, appUrl: app.url };
    const script = fileURLToPath(new URL("./fixtures/starts-and-closes.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    child.stderr.on("data", (chunk) => (output += String(chunk)));
    const [code] = (await once(child, "close")) as [number | null];
    expect(output).toBe("closed\n");
    expect(code).toBe(0);
    rmSync(project.root, { recursive: true, force: true });
  });
});

import { expect, it } from "vitest";
import type { Message } from "#src/protocol/message.ts";
import { startFixtureApp } from "../support/fixture-app.ts";
import { PATIENT } from "../support/patient.ts";
import { publish, runProgram, signIn } from "./example.ts";
import type { Program, RunningExample } from "./example.ts";

/** What the subscriber of an example must do. */
export function describeClient(example: RunningExample): void {
  const follow = (url: string, session: string): Program =>
    runProgram([...example.project.programs.client, url], {
      cwd: example.project.folder,
      env: { CHAT_TOKEN: session },
    });

  it("has a client that misses nothing and repeats nothing while chanctl is killed and started again", async () => {
    const session = await signIn(example.served.url, { name: "ada" });
    const room = `${example.served.url}/channels/chat?room=restarts`;
    await using client = follow(room, session);
    await expect
      .poll(async () => {
        await publish(room, { session, text: "are you there?" });
        return client.lines().length;
      }, PATIENT)
      .toBeGreaterThan(0);
    await publish(room, { session, text: "before" });
    await example.killAndStart();
    for (const text of ["missed 1", "missed 2"]) await publish(room, { session, text });
    await expect.poll(() => client.lines().at(-1), PATIENT).toContain("missed 2");
    await publish(room, { session, text: "after" });
    await expect.poll(() => client.lines().at(-1), PATIENT).toContain("after");
    const messages = client.lines().map((line) => JSON.parse(line) as Message<string, { text: string }>);
    const texts = messages.map(({ data }) => data.text).filter((text) => text !== "are you there?");
    expect(texts).toEqual(["before", "missed 1", "missed 2", "after"]);
  });

  it("has a client with the manners of docs/protocol.md", async () => {
    const asked: { lastId: string | undefined; at: number }[] = [];
    const long = "x".repeat(200_000);
    await using broker = await startFixtureApp((request, response) => {
      asked.push({ lastId: request.headers["last-event-id"] as string | undefined, at: performance.now() });
      switch (asked.length) {
        case 1:
          response.write(
            'retry: 1500\nid: a\n\nid: b\ndata: {"n":1}\n\n:\n\nid: c\ndata: {"n":\ndata: 2}\n\n',
          );
          response.write('id: d\ndata: {"n":3}\n', () => request.socket.destroy()); // cut off: never came
          break;
        case 2:
          response.writeHead(410).end('{"oldest":"o","newest":"p"}');
          break;
        case 3:
          response.writeHead(503, { "retry-after": "1" }).end("<h1>a proxy says so</h1>");
          break;
        case 4:
          response.end(`id: e\ndata: {"n":"${long}"}\n\nretry: 10\n: service restart\n\n`);
          break;
        default:
          response.writeHead(401).end('{"code":"unauthenticated"}');
      }
    });
    await using client = follow(`${broker.url}/channels/chat?room=lobby`, "session");
    await expect.poll(() => client.child.exitCode, PATIENT).toBe(1);
    expect(client.lines().map((line) => JSON.parse(line) as unknown)).toEqual([
      { n: 1 },
      { n: 2 },
      { n: long },
    ]);
    expect(asked.map(({ lastId }) => lastId)).toEqual([undefined, "c", "o", "o", "e"]);
    const pauses = asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0));
    expect(pauses[0]).toBeGreaterThan(1_490);
    expect(pauses[2]).toBeGreaterThan(990);
  });
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createChatProject, startDev } from "../support/project.ts";
import type { ChatProject, DevServer } from "../support/project.ts";

let project: ChatProject;
let dev: DevServer;

beforeAll(async () => {
  project = await createChatProject();
  dev = await startDev(project, ["--port", "0", "--no-tls"]);
});

afterAll(async () => {
  await dev?.stop("SIGTERM");
  await project?.remove();
});

async function refusal(): Promise<string> {
  const response = await fetch(`${dev.url}/channels/chat?room=a`, { headers: { cookie: "session=forged" } });
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  return `${code}: ${detail}`;
}

it("asks the new `verify` once its file is saved, without anybody restarting anything", async () => {
  expect(await refusal()).toBe("unauthenticated: sign in first");
  const path = join(project.folder, "channels", "chat.ts");
  const source = await readFile(path, "utf8");
  await writeFile(path, source.replace("sign in first", "come back with a name"));
  await expect.poll(refusal, { timeout: 20_000 }).toBe("unauthenticated: come back with a name");
});

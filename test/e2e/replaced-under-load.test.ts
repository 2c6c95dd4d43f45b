import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { createChatProject, startDev } from "../support/project.ts";

const SAVES = 10;
const REQUESTS_PER_SECOND = 50;

/** Counts answers by what was asked and how it ended. */
function counting(): { readonly seen: Map<string, number>; readonly count: (what: string) => void } {
  const seen = new Map<string, number>();
  return { seen, count: (what) => void seen.set(what, (seen.get(what) ?? 0) + 1) };
}

it(
  "answers every request and every newcomer while a channel file is saved ten times",
  { timeout: 120_000 },
  async () => {
    const project = await createChatProject();
    onTestFinished(() => project.remove());
    // On a busy machine an app may take longer to start than newcomers wait by default.
    const env = { ...project.env, CHANCTL_AUTHORIZE_RETRY_MS: "60s" };
    const dev = await startDev({ ...project, env }, ["--port", "0", "--no-tls"]);
    onTestFinished(() => dev.stop("SIGTERM"));
    const signIn = await fetch(`${dev.url}/sign-in`, {
      method: "POST",
      body: new URLSearchParams({ name: "ada" }),
      redirect: "manual",
    });
    const cookie = signIn.headers.getSetCookie()[0]?.split(";")[0] ?? "";

    const { seen, count } = counting();
    const get = async (what: string, path: string): Promise<void> => {
      const response = await fetch(dev.url + path, { headers: { cookie, accept: "*/*" } });
      await (what === "newcomer" ? response.body?.cancel() : response.text());
      count(`${what} ${response.status}`);
    };
    const post = async (): Promise<void> => {
      const response = await fetch(`${dev.url}/sign-in`, {
        method: "POST",
        body: new URLSearchParams({ name: "ada" }),
        redirect: "manual",
      });
      count(`form ${response.status}`);
    };
    const underWay = new Set<Promise<void>>();
    const ask = (answer: Promise<void>): void => {
      const settled = answer.catch((error: unknown) =>
        count(String(error instanceof Error ? error.cause : error)),
      );
      underWay.add(settled);
      void settled.then(() => underWay.delete(settled));
    };
    let asked = 0;
    const load = setInterval(() => {
      asked += 1;
      if (asked % 5 === 0) ask(get("newcomer", `/channels/chat?room=${asked}`));
      else if (asked % 5 === 1) ask(post());
      else ask(get("page", asked % 5 === 2 ? "/" : "/me"));
    }, 1_000 / REQUESTS_PER_SECOND);
    onTestFinished(() => clearInterval(load));

    const path = join(project.folder, "channels", "chat.ts");
    const source = await readFile(path, "utf8");
    for (let save = 1; save <= SAVES; save += 1) {
      await writeFile(path, source.replace("sign in first", `sign in, ${save}`));
      // Some come while the app of the save before still starts, some when it is long there.
      await delay(save % 3 === 0 ? 2_500 : 300 * (save % 3));
    }
    const refusal = async (): Promise<string> => {
      const { detail } = (await (
        await fetch(`${dev.url}/channels/chat?room=a`, { headers: { cookie: "session=forged" } })
      ).json()) as {
        detail: string;
      };
      return detail;
    };
    await expect.poll(refusal, { timeout: 30_000 }).toBe(`sign in, ${SAVES}`);
    clearInterval(load);
    await Promise.all(underWay);
    expect([...seen.keys()].toSorted()).toEqual(["form 303", "newcomer 200", "page 200"]);
    expect([...seen.values()].reduce((sum, number) => sum + number)).toBe(asked);
  },
);

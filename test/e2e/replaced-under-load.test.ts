import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { createChatProject, startDev } from "../support/project.ts";

const SAVES = 10;
const REQUESTS_PER_SECOND = 50;

/** Routes for the app that take their time: the stream ends with `whole`, the upload answers how much it got. */
const SLOW_ROUTES = `if (path === "/ticks") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let tick = 1; tick <= 9; tick += 1) {
      response.write(\`data: \${tick}\\n\\n\`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    response.end("data: whole\\n\\n");
  } else if (path === "/upload") response.end(String((await text(request)).length));
  else `;

/** A body of nine parts, one a second. */
async function* slowBody(): AsyncGenerator<Buffer> {
  for (let part = 0; part < 9; part += 1) {
    yield Buffer.alloc(1_000, "x");
    await delay(1_000);
  }
}

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
    const server = join(project.folder, "server.ts");
    const code = await readFile(server, "utf8");
    await writeFile(
      server,
      code.replace('if (request.method === "POST" && path === "/sign-in")', `${SLOW_ROUTES}$&`),
    );
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
    const save = (number: number): Promise<void> =>
      writeFile(path, source.replace("sign in first", `sign in, ${number}`));
    for (let number = 1; number <= SAVES; number += 1) {
      await save(number);
      // Some come while the app of the save before still starts, some when it is long there.
      await delay(number % 3 === 0 ? 2_500 : 300 * (number % 3));
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
    const ticks = await fetch(`${dev.url}/ticks`, { headers: { cookie } });
    const upload = fetch(`${dev.url}/upload`, {
      method: "POST",
      body: ReadableStream.from(slowBody()),
      duplex: "half",
    });
    await save(SAVES + 1);
    await expect.poll(refusal, { timeout: 30_000 }).toBe(`sign in, ${SAVES + 1}`);
    expect((await ticks.text()).trim().split("\n\n")).toEqual([
      ...Array.from({ length: 9 }, (_, index) => `data: ${index + 1}`),
      "data: whole",
    ]);
    expect(await (await upload).text()).toBe("9000");
    clearInterval(load);
    await Promise.all(underWay);
    expect([...seen.keys()].toSorted()).toEqual(["form 303", "newcomer 200", "page 200"]);
    expect([...seen.values()].reduce((sum, number) => sum + number)).toBe(asked);
  },
);

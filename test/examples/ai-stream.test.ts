import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import type { TestBrowser } from "../support/chromium.ts";
import { PATIENT } from "../support/patient.ts";
import { startDev } from "../support/project.ts";
import type { DevServer } from "../support/project.ts";
import { copyExample } from "./example-project.ts";
import type { ExampleProject } from "./example-project.ts";

const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
const MODEL = fileURLToPath(new URL("../../examples/ai-stream/model.js", import.meta.url));
/** The model repeats a question: a long one takes its time, in which the tests reload, kill and stop. */
const FIRST = `What is a durable stream,${" so".repeat(100)}?`;
const SECOND = `And <b>now</b>,${" so".repeat(100)}?`;
const PACKAGES = ["@durable-streams/client", "esbuild"];

/** One run of the example, as two people see it: the tests go on from each other. */
describe("examples/ai-stream, in two browsers", () => {
  let project: ExampleProject;
  let dev: DevServer;
  let chromium: TestBrowser | undefined;
  let answerTo: (question: string) => string;
  let asker: Page;
  let reader: Page;

  beforeAll(async () => {
    project = await copyExample("ai-stream", { packages: PACKAGES, env: { TOKEN_MS: "60" } });
    ({ answerTo } = (await import(MODEL)) as { answerTo: typeof answerTo });
    dev = await startDev(project, ["--port", "0"]);
  });

  afterAll(async () => {
    await chromium?.close();
    await dev?.stop("SIGTERM");
    await project?.[Symbol.asyncDispose]();
  });

  beforeEach((context) => requireChromium(context));

  async function openPage(url: string): Promise<Page> {
    chromium ??= await launchChromium({ caPath: dev.caPath });
    const page = await (await chromium.browser.newContext()).newPage();
    await page.goto(url);
    await page.locator("#state", { hasText: "live" }).waitFor();
    return page;
  }

  async function ask(page: Page, question: string): Promise<void> {
    await page.locator("#composer input").fill(question);
    await page.locator("#composer button", { hasText: "Ask" }).click();
  }

  /** An answer as the page has it, fences and all. */
  const answerOn = async (page: Page, n: number): Promise<string> =>
    (await page
      .locator("section .answer")
      .nth(n - 1)
      .textContent()) ?? "";

  /** Waits until a part of the answer is there, and says which. */
  async function partOn(page: Page, n: number): Promise<string> {
    await expect.poll(() => page.locator("section").count(), PATIENT).toBe(n);
    await expect.poll(async () => (await answerOn(page, n)).length, PATIENT).toBeGreaterThan(30);
    return answerOn(page, n);
  }

  const isOver = (page: Page, n: number, state: "done" | "stopped"): Promise<void> =>
    page.locator(`section:nth-of-type(${n})[data-state="${state}"]`).waitFor({ timeout: 40_000 });

  async function chanctl(...args: string[]): Promise<string> {
    const options = { cwd: project.folder, env: project.env };
    return (await promisify(execFile)(process.execPath, [CLI, "stream", ...args], options)).stdout;
  }

  const conversation = (): string => String(new URL(asker.url()).searchParams.get("c"));

  /** The path of an answer: of the n-th that was asked for. */
  async function pathOf(n: number): Promise<string> {
    const said = (await chanctl("read", conversation())).trim().split("\n");
    const asked = said.map((line) => JSON.parse(line) as { question?: string; answer: string });
    return String(asked.filter(({ question }) => question !== undefined)[n - 1]?.answer);
  }

  it("shows both the same answer while it is written", async () => {
    asker = await openPage(dev.url);
    await ask(asker, FIRST);
    const begun = await partOn(asker, 1);
    reader = await openPage(asker.url());
    expect(await partOn(reader, 1)).not.toBe("");
    expect(answerTo(FIRST).startsWith(begun)).toBe(true);
  });

  it(
    "goes on after a reload and after `kill -9` of the broker, to the last character",
    { timeout: 90_000 },
    async () => {
      await reader.reload();
      await partOn(reader, 1);
      expect(await answerOn(asker, 1)).not.toBe(answerTo(FIRST)); // else there would be nothing to go on with
      await dev.stop("SIGKILL");
      dev = await startDev(project, ["--port", new URL(dev.url).port]);
      for (const page of [asker, reader]) {
        await isOver(page, 1, "done");
        expect(await answerOn(page, 1)).toBe(answerTo(FIRST));
      }
      expect(await chanctl("read", await pathOf(1))).toBe(answerTo(FIRST));
      expect(await chanctl("head", await pathOf(1))).toContain("closed: true");
      expect(await asker.locator("section code").first().textContent()).toMatch(
        /^const answer = .*\n[^]*\}\);\n$/,
      );
    },
  );

  it("stops a second answer for both, and keeps what was said", async () => {
    await ask(reader, SECOND);
    await partOn(asker, 2);
    await asker.locator("#stop").click();
    for (const page of [asker, reader]) await isOver(page, 2, "stopped");
    const said = await answerOn(asker, 2);
    const whole = answerTo(SECOND);
    expect(whole.startsWith(said) && said !== whole).toBe(true);
    expect(await answerOn(reader, 2)).toBe(said);
    expect(await chanctl("read", await pathOf(2), "--live")).toBe(said);
    expect(await reader.locator("section .question").allTextContents()).toEqual([FIRST, SECOND]);
  });

  it("shows it all again after a reload, stopped where it was", async () => {
    const said = await answerOn(asker, 2);
    await asker.reload();
    await isOver(asker, 1, "done");
    await isOver(asker, 2, "stopped");
    expect(await answerOn(asker, 1)).toBe(answerTo(FIRST));
    expect(await answerOn(asker, 2)).toBe(said);
  });

  it("lets browsers read with the link, and nothing else", async () => {
    const statusOf = (path: string, init: RequestInit = {}): Promise<number> =>
      reader.evaluate(async ([url, options]) => (await fetch(url, options)).status, [
        `/ds/${path}`,
        init,
      ] as const);
    const append = { method: "POST", headers: { "content-type": "text/plain" }, body: "x" };
    expect(await statusOf(await pathOf(1))).toBe(200);
    expect(await statusOf("asked")).toBe(403);
    expect(await statusOf(await pathOf(1), append)).toBe(403);
    expect(await statusOf(await pathOf(1), { method: "DELETE" })).toBe(403);
    expect(await statusOf(`${conversation()}/9`, { method: "PUT" })).toBe(403);
  });
});

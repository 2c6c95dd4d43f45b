import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import type { TestBrowser } from "../support/chromium.ts";
import { createChatProject, startDev } from "../support/project.ts";
import type { ChatProject, DevServer } from "../support/project.ts";

/** One run of the demo, as a person sees it: the tests go on from each other. */
describe("the chat of `chanctl init`, in a browser that trusts the CA and ignores nothing", () => {
  let project: ChatProject;
  let dev: DevServer;
  let chromium: TestBrowser | undefined;
  const pages = new Map<string, Page>();

  beforeAll(async () => {
    project = await createChatProject();
    dev = await startDev(project, ["--port", "0"]);
  });

  afterAll(async () => {
    await chromium?.close();
    await dev?.stop("SIGTERM");
    await project?.remove();
  });

  beforeEach((context) => requireChromium(context));

  const page = (name: string): Page => {
    const found = pages.get(name);
    if (found === undefined) throw new Error(`${name} has no page`);
    return found;
  };

  async function signIn(name: string, room: string): Promise<void> {
    chromium ??= await launchChromium({ caPath: dev.caPath });
    const context = await chromium.browser.newContext();
    const opened = await context.newPage();
    pages.set(name, opened);
    await opened.goto(`${dev.url}/?room=${room}`);
    await opened.locator("#sign-in input[name=name]").fill(name);
    await opened.locator("#sign-in button").click();
    await waitUntilLive(opened);
  }

  async function say(name: string, text: string): Promise<void> {
    await page(name).locator("#composer input").fill(text);
    await page(name).locator("#composer button").click();
    await waitForTexts(name, (texts) => texts.includes(text));
    await page(name).locator("#messages li:not(.pending)", { hasText: text }).waitFor();
  }

  const textsOf = (name: string): Promise<string[]> =>
    page(name).locator("#messages li .text").allInnerTexts();

  async function waitForTexts(name: string, isDone: (texts: string[]) => boolean): Promise<string[]> {
    let texts: string[] = [];
    await expect.poll(async () => isDone((texts = await textsOf(name))), { timeout: 15_000 }).toBe(true);
    return texts;
  }

  const waitUntilLive = (opened: Page): Promise<void> =>
    opened.locator('#state[data-state="live"]').waitFor({ timeout: 15_000 });

  it("shows each room its own messages only", async () => {
    await signIn("ada", "lobby");
    await signIn("grace", "kitchen");
    await signIn("alan", "lobby");
    await say("ada", "hello lobby");
    await say("grace", "hello kitchen");
    await waitForTexts("alan", (texts) => texts.includes("hello lobby"));
    expect(await textsOf("ada")).toEqual(["hello lobby"]);
    expect(await textsOf("alan")).toEqual(["hello lobby"]);
    expect(await textsOf("grace")).toEqual(["hello kitchen"]);
    expect(await page("alan").locator("#messages li .from").first().innerText()).toBe("ada");
  });

  it("has missed nothing after a reload", async () => {
    await page("ada").goto("about:blank");
    await say("alan", "while you were away");
    await page("ada").goto(`${dev.url}/?room=lobby`);
    await waitForTexts("ada", (texts) => texts.length === 2);
    expect(await textsOf("ada")).toEqual(["hello lobby", "while you were away"]);
  });

  it("has everything that was acknowledged after `kill -9` of chanctl dev, and goes on", async () => {
    await say("grace", "before the kill");
    const { port } = new URL(dev.url);
    await dev.stop("SIGKILL");
    dev = await startDev(project, ["--port", port]);
    await waitUntilLive(page("grace"));
    await say("grace", "after the kill");
    expect(await textsOf("grace")).toEqual(["hello kitchen", "before the kill", "after the kill"]);
    await page("grace").reload();
    await waitForTexts("grace", (texts) => texts.length === 3);
    expect(await textsOf("grace")).toEqual(["hello kitchen", "before the kill", "after the kill"]);
    await signIn("edsger", "lobby");
    await waitForTexts("edsger", (texts) => texts.length === 2);
    expect(await textsOf("edsger")).toEqual(["hello lobby", "while you were away"]);
  });
});

/**
 * `tsx scripts/screenshot.ts`: makes docs/chat.png, the picture in the README: the chat of `chanctl init`, served
 * by `chanctl dev`, with two people in one room. What they say is true: the server is killed on the way. Needs
 * Chromium and certutil.
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../test/support/chromium.ts";
import { createChatProject, startDev } from "../test/support/project.ts";

const PICTURE = fileURLToPath(new URL("../docs/chat.png", import.meta.url));
const WINDOW = { width: 520, height: 540 };

const KILL = "kill -9";

const TALK: readonly (readonly [speaker: "ada" | "grace", text: string] | typeof KILL)[] = [
  ["ada", "Does it keep what I say while you are away?"],
  ["grace", "Every message is on the disk before you see it as sent."],
  ["ada", "And if the server is killed?"],
  KILL,
  ["grace", "I have just done that: kill -9. You are still here, and nothing is gone."],
  ["ada", "Then let's ship it."],
];

async function open(
  browser: Browser,
  options: { url: string; name: string; scheme: "light" | "dark" },
): Promise<Page> {
  const context = await browser.newContext({
    viewport: WINDOW,
    colorScheme: options.scheme,
    deviceScaleFactor: 2,
  });
  const page = await context.newPage();
  await page.goto(`${options.url}/?room=lobby`);
  await page.locator("#sign-in input[name=name]").fill(options.name);
  await page.locator("#sign-in button").click();
  await waitUntilLive(page);
  return page;
}

function waitUntilLive(page: Page): Promise<void> {
  return page.locator('#state[data-state="live"]').waitFor();
}

const project = await createChatProject();
let dev = await startDev(project, ["--port", "0"]);
const chromium = await launchChromium({ caPath: dev.caPath });
const { browser } = chromium;
try {
  const pages = {
    ada: await open(browser, { url: dev.url, name: "ada", scheme: "light" }),
    grace: await open(browser, { url: dev.url, name: "grace", scheme: "dark" }),
  };
  for (const line of TALK) {
    if (line === KILL) {
      await dev.stop("SIGKILL");
      dev = await startDev(project, ["--port", new URL(dev.url).port]);
      for (const page of Object.values(pages)) await waitUntilLive(page);
      continue;
    }
    const [speaker, text] = line;
    await pages[speaker].locator("#composer input").fill(text);
    await pages[speaker].locator("#composer button").click();
    for (const page of Object.values(pages)) {
      await page.locator("#messages li:not(.pending)", { hasText: text }).waitFor();
    }
  }
  const shots = await Promise.all(Object.values(pages).map((page) => page.screenshot({ type: "png" })));
  const images = shots.map(
    (png) => `<img src="data:image/png;base64,${png.toString("base64")}" width="${WINDOW.width}">`,
  );
  const frame = await browser.newPage({ viewport: { width: 1_120, height: 588 }, deviceScaleFactor: 1.5 });
  await frame.setContent(
    `<style>body{margin:0;padding:24px;display:flex;gap:32px;background:#e5e7eb}img{border-radius:10px;box-shadow:0 4px 16px #0004}</style>${images.join("")}`,
  );
  await mkdir(fileURLToPath(new URL("../docs", import.meta.url)), { recursive: true });
  await frame.screenshot({ path: PICTURE });
} finally {
  await chromium.close();
  await dev.stop("SIGTERM");
  await project.remove();
}

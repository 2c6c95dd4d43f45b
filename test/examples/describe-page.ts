import { expect, it } from "vitest";
import type { Page } from "playwright-core";
import { launchChromium, requireChromium } from "../support/chromium.ts";
import type { RunningExample } from "./example.ts";

/** What the page of an example must do, in a browser. */
export function describePage(example: RunningExample): void {
  it("has a page on which messages cross, from a WebSocket to an EventSource and back, over a kill of chanctl", async (context) => {
    requireChromium(context);
    const chromium = await launchChromium({});
    try {
      const open = async (name: string, over: string): Promise<Page> => {
        const page = await (await chromium.browser.newContext()).newPage();
        await page.goto(`${example.served.url}/?room=page`);
        await page.locator("#sign-in [name=name]").fill(name);
        await page.locator("#sign-in button").click();
        await page.locator("main:not([hidden])").waitFor();
        await page.goto(`${example.served.url}/?room=page&over=${over}`);
        await page.locator("#state", { hasText: `${name} in page` }).waitFor();
        return page;
      };
      const say = async (page: Page, text: string): Promise<void> => {
        await page.locator("#composer [name=text]").fill(text);
        await page.locator("#composer button").click();
      };
      const [ada, grace] = [await open("ada", "ws"), await open("grace", "sse")];
      await say(ada, "hello <b>grace</b>");
      await grace.locator("#messages li", { hasText: "ada: hello <b>grace</b>" }).waitFor();
      await say(grace, "hello ada");
      await ada.locator("#messages li", { hasText: "grace: hello ada" }).waitFor();
      await say(ada, " ");
      await ada.locator("#refusal", { hasText: "say something" }).waitFor();

      await example.killAndStart();
      await say(grace, "we are back");
      for (const page of [ada, grace]) {
        await page.locator("#messages li", { hasText: "grace: we are back" }).waitFor();
        const texts = await page.locator("#messages li").allInnerTexts();
        expect(texts.filter((text) => !text.endsWith("came in"))).toEqual([
          "ada: hello <b>grace</b>",
          "grace: hello ada",
          "grace: we are back",
        ]);
      }
    } finally {
      await chromium.close();
    }
  });
}

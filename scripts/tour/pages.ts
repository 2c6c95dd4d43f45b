import type { Browser, Page } from "playwright-core";

const WINDOW = { width: 720, height: 480 };

/** Opens a page in a window of its own person: cookies are not shared. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ viewport: WINDOW, colorScheme: "light" });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { addChanctl } from "../chapters.ts";
import { openPage } from "../pages.ts";
import type { Tour } from "../tour.ts";

const SERVER = await readFile(new URL("../../../templates/chat/server.ts", import.meta.url), "utf8");

/** The chat that `init` puts into an empty folder. */
export const empty: Tour = {
  name: "empty",
  title: "An empty folder",
  folder: "my-chat",
  install: addChanctl,
  parts: {
    initShows: [],
    follow: async () => {},
    open: async (browser, origin) => [
      await signIn(browser, { origin, name: "ada" }),
      await signIn(browser, { origin, name: "grace" }),
    ],
    async say(page, text) {
      await page.locator("#composer input").fill(text);
      await page.locator("#composer button").click();
    },
    async editPage({ folder, edit }, page) {
      const text = await readFile(join(folder, "public/index.html"), "utf8");
      await edit("public/index.html", text.replace("Sign out", "Leave"));
      await page.reload();
      await page.getByRole("button", { name: "Leave" }).waitFor();
    },
    appFile: { path: "server.ts", good: SERVER, bad: SERVER.replace("./session.ts", "./sesion.ts") },
  },
};

async function signIn(
  browser: Browser,
  { origin, name }: { readonly origin: string; readonly name: string },
): Promise<Page> {
  const page = await openPage(browser, `${origin}/?room=lobby`);
  await page.locator("#sign-in input[name=name]").fill(name);
  await page.locator("#sign-in button").click();
  await page.locator('#state[data-state="live"]').waitFor();
  return page;
}

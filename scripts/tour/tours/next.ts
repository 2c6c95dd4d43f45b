import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addChanctl } from "../chapters.ts";
import { openPage } from "../pages.ts";
import type { Tour } from "../tour.ts";

const FILES = {
  "package.json": `{
  "name": "my-site",
  "private": true,
  "version": "0.1.0",
  "scripts": {
    "dev": "next dev",
    "build": "next build",
    "start": "next start"
  }
}
`,
  "app/layout.js": `export default function RootLayout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
`,
  "app/page.js": `"use client";

import { useChannel } from "chanctl/react";

if (typeof document !== "undefined") document.cookie = "session=guest; path=/"; // instead of a sign-in

export default function Home() {
  const { messages, publish } = useChannel("chat", { room: "lobby" }, { rewind: 50 });
  const say = (form) => publish({ type: "message", data: { text: form.get("text") } });
  return (
    <main>
      <h1>My site</h1>
      <ul>
        {messages.map(({ id, data }) => (
          <li key={id}>{data.text}</li>
        ))}
      </ul>
      <form action={say}>
        <input name="text" aria-label="Message" /> <button>Send</button>
      </form>
    </main>
  );
}
`,
};

/** Next with its app router: the SDK is mounted as a route. */
export const next: Tour = {
  name: "next",
  title: "A Next app",
  pictures: ["init", "dev", "app", "crash-page"],
  folder: "my-site",
  async install(stage) {
    const { show, dev, edit, say } = stage;
    say("## The app\n\nThe smallest one with the app router.");
    for (const [path, text] of Object.entries(FILES)) await edit(path, text);
    await show("dev", dev.runLong("npm install next react react-dom", /added \d+ packages/));
    await addChanctl(stage);
  },
  parts: {
    initShows: [],
    async follow({ edit, folder, say }) {
      say("The session says who it is.");
      const path = "channels/chat.js";
      const text = await readFile(join(folder, path), "utf8");
      await edit(
        path,
        text.replace("(_session)", "(session)").replace("return undefined;", "return { id: session };"),
      );
    },
    open: async (browser, origin) => [await openPage(browser, origin), await openPage(browser, origin)],
    async say(page, text) {
      // What is done before React has taken over the page is lost.
      await page.waitForFunction(
        "Object.keys(document.querySelector('form')).some((key) => key.startsWith('__react'))",
      );
      await page.locator("input").fill(text);
      await page.getByRole("button", { name: "Send" }).click();
    },
    async editPage({ edit }, page) {
      await page.locator("input").fill("what a reload would lose");
      await edit("app/page.js", FILES["app/page.js"].replace("My site", "Everybody's site"));
      await page.getByText("Everybody's site").waitFor({ timeout: 60_000 });
      if ((await page.locator("input").inputValue()) === "") throw new Error("the hot update was a reload");
    },
    appFile: {
      path: "next.config.mjs",
      good: "export default {};\n",
      bad: "export default { ...missing };\n",
    },
  },
};

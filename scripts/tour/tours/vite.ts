import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addChanctl } from "../chapters.ts";
import { openPage } from "../pages.ts";
import type { Stage, Tour } from "../tour.ts";

const FILES = {
  "package.json": `{
  "name": "my-shop",
  "private": true,
  "version": "0.0.0",
  "type": "module",
  "scripts": {
    "dev": "vite",
    "build": "vite build",
    "preview": "vite preview"
  }
}
`,
  "index.html": `<!doctype html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <title>Vite + chanctl</title>
  </head>
  <body>
    <div id="app"></div>
    <script type="module" src="/src/main.js"></script>
  </body>
</html>
`,
  "src/title.js": `export const title = "My shop";
`,
  "src/main.js": `import { connect } from "chanctl/client";
import { title } from "./title.js";

const app = document.querySelector("#app");
app.innerHTML = "<h1></h1><ul></ul><form><input aria-label='Message'> <button>Send</button></form>";
const show = (text) => (app.querySelector("h1").textContent = text);
show(title);
import.meta.hot?.accept("./title.js", (edited) => show(edited.title));

const room = connect("chat", { params: { room: "lobby" }, rewind: 50 });
room.on("message", ({ data }) => {
  app.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: data.text }));
});
app.querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  void room.publish({ type: "message", data: { text: app.querySelector("input").value } });
};
`,
};

/** Vite alone: there is no server that could be asked who may come in, so that the channel is public. */
export const vite: Tour = {
  name: "vite",
  title: "A vite app",
  pictures: ["init", "dev", "app", "crash-page"],
  folder: "my-shop",
  async install(stage) {
    const { show, dev, edit, say } = stage;
    say("## The app\n\nAs `npm create vite` makes it, in short.");
    for (const [path, text] of Object.entries(FILES)) await edit(path, text);
    await show("dev", dev.runLong("npm install --save-dev vite", /added \d+ packages/));
    await addChanctl(stage);
  },
  parts: {
    initShows: [],
    async follow(stage) {
      stage.say("Vite has no server of its own to ask: the channel is made public.");
      await makePublic(stage);
    },
    open: async (browser, origin) => [await openPage(browser, origin), await openPage(browser, origin)],
    async say(page, text) {
      await page.locator("input").fill(text);
      await page.locator("button").click();
    },
    async editPage({ edit }, page) {
      await page.locator("input").fill("what a reload would lose");
      await edit("src/title.js", FILES["src/title.js"].replace("My shop", "Everybody's shop"));
      await page.getByText("Everybody's shop").waitFor();
      if ((await page.locator("input").inputValue()) === "") throw new Error("the hot update was a reload");
    },
    appFile: {
      path: "vite.config.js",
      good: "export default {};\n",
      bad: "export default { plugins: [missing()] };\n",
    },
  },
};

async function makePublic({ edit, folder }: Stage): Promise<void> {
  const path = "channels/chat.js";
  const text = await readFile(join(folder, path), "utf8");
  await edit(path, text.replace(/ {2}auth:.*\n {2}async verify[^]*?\n {2}\},\n/, "  public: true,\n"));
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { addChanctl } from "../chapters.ts";
import { openPage } from "../pages.ts";
import type { Stage, Tour } from "../tour.ts";

/** As Express's own "Hello world" has it, with a folder of files. */
const HELLO_WORLD = `const express = require('express')
const app = express()
const port = 3000

app.use(express.static('public'))

app.listen(port, () => {
  console.log(\`Example app listening on port \${port}\`)
})
`;

/** What `chanctl init` says to add. */
const MOUNT = /const \{ loadChannels \} = .*\n\s*const channels = .*\n\s*app\.use\(.*/;

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Board</title>
<style>body { font: 16px/1.6 system-ui, sans-serif; margin: 3rem }</style>
<h1>Board</h1>
<ul></ul>
<form><input aria-label="Message"> <button>Send</button></form>
<script>
  const socket = new WebSocket("wss://" + location.host + "/channels/chat?room=lobby&rewind=50");
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.control) return;
    document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: frame.data.text }));
  };
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const text = document.querySelector("input").value;
    socket.send(JSON.stringify({ type: "message", data: { text } }));
  };
</script>
</html>
`;

/** Stands in for a sign-in. */
const SESSION = `app.use((req, res, next) => {
  res.cookie('session', 'guest', { httpOnly: true })
  next()
})
`;

let app = HELLO_WORLD;

/** Express in plain JavaScript, with a port of its own. */
export const express: Tour = {
  name: "express",
  title: "An Express app",
  pictures: ["init", "dev", "app", "crash-page"],
  folder: "my-board",
  async install(stage) {
    const { show, dev, edit, say } = stage;
    say('## The app\n\nExpress\'s own "Hello world", with a folder of files.');
    await show("dev", dev.runLong("npm init -y && npm install express", /added \d+ packages/));
    await edit("app.js", HELLO_WORLD);
    await edit("public/index.html", PAGE);
    await addChanctl(stage);
  },
  parts: {
    initShows: [MOUNT],
    async follow(stage) {
      stage.say(
        "What it says is done: its lines in app.js, and who may come in. A cookie that everybody gets stands in for a sign-in.",
      );
      await mount(stage);
      await letIn(stage);
    },
    open: async (browser, origin) => [await openPage(browser, origin), await openPage(browser, origin)],
    async say(page, text) {
      await page.locator("input").fill(text);
      await page.locator("button").click();
    },
    async editPage({ edit }, page) {
      await edit("public/index.html", PAGE.replaceAll("Board", "Blackboard"));
      await page.reload();
      await page.getByText("Blackboard").waitFor();
    },
    appFile: {
      path: "app.js",
      get good() {
        return app;
      },
      get bad() {
        return app.replace("express()", "expres()");
      },
    },
  },
};

async function mount({ edit, dev }: Stage): Promise<void> {
  const lines = MOUNT.exec(await dev.history())?.[0] ?? "";
  app = HELLO_WORLD.replace("const port", `${lines.replaceAll(/^\s+/gm, "")}\n${SESSION}const port`);
  await edit("app.js", app);
}

/** The session says who it is. */
async function letIn({ edit, folder }: Stage): Promise<void> {
  const path = "channels/chat.mjs";
  const text = await readFile(join(folder, path), "utf8");
  await edit(
    path,
    text.replace("(_session)", "(session)").replace("return undefined;", "return { id: session };"),
  );
}

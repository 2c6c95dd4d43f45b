import { expect, it } from "vitest";
import { requireChromium } from "../support/chromium.ts";
import { FRAMEWORK_TIMEOUT_MS, openFramework } from "./framework-project.ts";

const FILES = {
  "index.html": `<!doctype html><title>shop</title><p id="text"></p><input>
<script type="module" src="/main.js"></script>`,
  "main.js": `import { text } from "./text.js";
const show = (text) => (document.querySelector("#text").textContent = text);
show(text);
import.meta.hot.accept("./text.js", (edited) => show(edited.text));`,
  "text.js": 'export const text = "as it was";',
};

it(
  "vite: an edit is on the page without a reload, over HTTPS",
  { timeout: FRAMEWORK_TIMEOUT_MS },
  async (context) => {
    requireChromium(context);
    const vite = await openFramework({
      packages: ["vite"],
      files: FILES,
      app: "vite --strictPort --port $PORT",
    });
    const { page, edit, url, sockets, errors } = vite;
    await page.getByText("as it was").waitFor();
    await expect.poll(() => sockets.length, { timeout: FRAMEWORK_TIMEOUT_MS }).toBeGreaterThan(0);
    await page.locator("input").fill("what a reload would lose");
    await edit("text.js", 'export const text = "as it is now";');
    await page.getByText("as it is now").waitFor();
    expect(await page.locator("input").inputValue()).toBe("what a reload would lose");
    expect(sockets.filter((socket) => !socket.startsWith(url.replace("https:", "wss:")))).toEqual([]);
    expect(errors).toEqual([]);
  },
);

import { expect, it } from "vitest";
import { requireChromium } from "../support/chromium.ts";
import { FRAMEWORK_TIMEOUT_MS, openFramework } from "./framework-project.ts";

function pageWith(text: string): string {
  return `"use client";
import { useState } from "react";
export default function Page() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>${text} {count}</button>;
}`;
}

const FILES = {
  "app/layout.js": `export default function Layout({ children }) {
  return <html lang="en"><body>{children}</body></html>;
}`,
  "app/page.js": pageWith("as it was"),
};

it(
  "next: an edit is on the page with its state kept, over HTTPS",
  { timeout: FRAMEWORK_TIMEOUT_MS },
  async (context) => {
    requireChromium(context);
    const next = await openFramework({
      packages: ["next", "react", "react-dom"],
      files: FILES,
      app: "next dev",
    });
    const { page, edit, url, sockets, errors } = next;
    await page.getByText("as it was 0").waitFor();
    await expect.poll(() => sockets.length, { timeout: FRAMEWORK_TIMEOUT_MS }).toBeGreaterThan(0);
    // A click before React has taken over the page is lost.
    await expect
      .poll(
        async () => {
          await page.getByText("as it was").click();
          return page.getByText("as it was").innerText();
        },
        { timeout: FRAMEWORK_TIMEOUT_MS },
      )
      .not.toBe("as it was 0");
    const count = /\d+/.exec(await page.getByText("as it was").innerText())?.[0];
    await edit("app/page.js", pageWith("as it is now"));
    await page.getByText(`as it is now ${count}`).waitFor();
    expect(sockets.filter((socket) => !socket.startsWith(url.replace("https:", "wss:")))).toEqual([]);
    expect(errors).toEqual([]);
  },
);

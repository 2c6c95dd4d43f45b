import type { Browser } from "playwright-core";
import { ansiToHtml } from "./ansi-html.ts";

/** A font whose box drawing and blocks meet; lines as high as the font's own, so that QR codes are square. */
const STYLE = `
  body { margin: 0; background: #16161e; display: inline-block }
  pre { margin: 0; padding: 16px 18px; min-width: 100ch; color: #c8d0f0;
        font: 14px/1.2 "DejaVu Sans Mono", monospace }`;

/** Draws a screen of a terminal: what `tmux capture-pane -ep` gives, as a PNG. */
export async function terminalPicture(browser: Browser, ansi: string): Promise<Buffer> {
  const page = await browser.newPage({ deviceScaleFactor: 1 });
  try {
    await page.setContent(`<meta charset="utf-8"><style>${STYLE}</style><pre>${ansiToHtml(ansi)}</pre>`);
    return await page.locator("body").screenshot();
  } finally {
    await page.close();
  }
}

import { stripVTControlCharacters } from "node:util";
import type { AppState } from "./app.ts";

/** Tells the page's own poll that it is still the proxy that answers, and why. */
export const APP_STATE_HEADER = "x-chanctl-app";

/** `unreachable`: it ought to be ready, and refuses connections. `given-up`: it crashed, and is tried now and then. */
export type DownState = Exclude<AppState, "ready"> | "unreachable" | "given-up";

interface WaitingPageOptions {
  readonly state: DownState;
  readonly origin: URL;
  /** What the app wrote last, or who has its port; none where visitors may not see it. */
  readonly lines: readonly string[];
  /** Of the response's Content-Security-Policy. */
  readonly nonce: string;
}

const HEADINGS: Readonly<Record<DownState, string>> = {
  blocked: "The app waits for its port",
  starting: "The app is starting",
  crashed: "The app has crashed",
  "given-up": "The app has crashed",
  stopped: "The app is not running",
  unreachable: "The app does not answer",
};

/**
 * The page that stands in for the app while it cannot answer. It asks for itself each second and reloads as
 * soon as anybody but the proxy answers, or there is other news.
 */
export function renderWaitingPage({ state, origin, lines, nonce }: WaitingPageOptions): string {
  const output = lines.map((line) => stripVTControlCharacters(line)).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<noscript><meta http-equiv="refresh" content="2"></noscript>
<title>${HEADINGS[state]}</title>
<style nonce="${nonce}">
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 1fr); place-items: center }
  main { width: min(44rem, 100% - 3rem); padding: 3rem 0 }
  h1 { font-size: 1.5rem; font-weight: 600; margin: 0 0 .25rem }
  h1::before { content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .5em; border-radius: 50%;
    background: ${state === "starting" ? "#d97706" : "#dc2626"}; animation: pulse 1.2s ease-in-out infinite alternate }
  @keyframes pulse { to { opacity: .25 } }
  @media (prefers-reduced-motion: reduce) { h1::before { animation: none } }
  p { margin: 0; opacity: .7 }
  pre { margin: 1.5rem 0 0; padding: 1rem; overflow-x: auto; border-radius: .5rem; font: .8125rem/1.6 ui-monospace, monospace;
    background: light-dark(#f4f4f5, #18181b); border: 1px solid light-dark(#e4e4e7, #27272a) }
</style>
</head>
<body>
<main>
<h1>${HEADINGS[state]}</h1>
<p>${prospectOf(state, origin)} This page reloads by itself.</p>
${output === "" ? "" : `<pre>${escapeHtml(output)}</pre>`}
</main>
<script nonce="${nonce}">
  const poll = async () => {
    try {
      const answer = await fetch(location.href, { method: "HEAD", headers: { accept: "text/html" }, cache: "no-store" });
      if (answer.headers.get("${APP_STATE_HEADER}") !== "${state}") return location.reload();
    } catch {}
    setTimeout(poll, 1000);
  };
  setTimeout(poll, 500);
</script>
</body>
</html>
`;
}

/** When it may be back: as the terminal says it. */
function prospectOf(state: DownState, { host, port }: URL): string {
  if (state === "blocked")
    return `Another program has port ${port}; the app is started as soon as that is free.`;
  if (state === "given-up") return "chanctl has given it up, and tries to start it again every 30 s.";
  return `chanctl is waiting for it on ${escapeHtml(host)}.`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

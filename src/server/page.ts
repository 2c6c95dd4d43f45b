import { randomBytes } from "node:crypto";
import type { Answer } from "../transports/http.ts";

interface PageOptions {
  /** @default 200 */
  readonly status?: number;
  readonly title: string;
  /** HTML. */
  readonly main: string;
  /** Rules beside those that all pages have. */
  readonly css?: string;
  /** A script; absent: none may run. */
  readonly script?: string;
  /** Where the script may connect to beside its own origin, as Content-Security-Policy names it. */
  readonly connect?: string;
}

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%;
    --line: light-dark(#e4e4e7, #2e2e33); --ground: light-dark(#f4f4f5, #1c1c20); --quiet: light-dark(#5b5b66, #a1a1aa) }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#fff, #0f0f12) }
  main { width: min(40rem, 100% - 2.5rem); padding: 2.5rem 0 }
  h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; margin: 0 0 .5rem }
  p { margin: 0 0 .75rem }
  .quiet { color: var(--quiet); font-size: .9375rem }
  code, pre { font: .875em/1.6 ui-monospace, SFMono-Regular, Menlo, monospace }
  pre { margin: 1.25rem 0 .5rem; padding: .875rem 1rem; overflow-x: auto; border-radius: .625rem;
    background: var(--ground); border: 1px solid var(--line) }
`;

/** A page of chanctl's own, in the visitor's colours. It loads nothing from anywhere. */
export function pageAnswer(options: PageOptions): Answer {
  const { status = 200, title, main, css = "", script, connect = "" } = options;
  const nonce = randomBytes(16).toString("base64");
  const source = `'nonce-${nonce}'`;
  const policy = [
    "default-src 'none'",
    `style-src ${source}`,
    `script-src ${source}`,
    `connect-src 'self' ${connect}`.trimEnd(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'", // a site that frames it could have it clicked (CWE-1021)
  ];
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": policy.join("; "),
    },
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style nonce="${nonce}">${STYLE}${css}</style>
</head>
<body>
<main>
${main}
</main>
${script === undefined ? "" : `<script nonce="${nonce}">${script}</script>`}
</body>
</html>
`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A text as HTML shows it, in an attribute's double quotes too. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

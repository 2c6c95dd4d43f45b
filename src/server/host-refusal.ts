import { isNavigation } from "../app/proxy-refusal.ts";
import type { ChanctlError } from "../shared/errors.ts";
import { sendAnswer, sendProblem } from "../transports/http.ts";
import type { HttpRequest, HttpResponse } from "../transports/http.ts";
import { escapeHtml, pageAnswer } from "./page.ts";

/** Answers a request whose host is refused: who looks at it gets a page, everybody else a problem. */
export function sendHostRefusal(request: HttpRequest, response: HttpResponse, error: ChanctlError): void {
  if (error.code !== "host_forbidden" || !isNavigation(request)) sendProblem(response, error);
  else
    sendAnswer(
      response,
      pageAnswer({ status: error.status, title: "This host is not allowed", main: toMain(error) }),
    );
}

function toMain({ message, hint }: ChanctlError): string {
  const [line = "", where = ""] = (hint ?? "").split(/ {2,}/);
  const fix = line === "" ? "" : `<pre>${escapeHtml(line)}</pre><p class="quiet">${escapeHtml(where)}</p>`;
  return `<h1>This host is not allowed</h1>
<p>${toText(message.charAt(0).toUpperCase() + message.slice(1))}.</p>
${fix}
<p class="quiet">Without this check, any site could let its name lead to your machine and read what your app shows there.</p>`;
}

/** A message's backticks are code. */
function toText(message: string): string {
  return escapeHtml(message).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

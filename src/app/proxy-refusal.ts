import { randomBytes } from "node:crypto";
import { errors } from "undici";
import { toProblemAnswer } from "../protocol/problem.ts";
import type { ProblemAnswer } from "../protocol/problem.ts";
import { ChanctlError, errorCodeOf } from "../shared/errors.ts";
import { MAX_ANSWER_HEADER_BYTES } from "./app-connection.ts";
import type { App } from "./app.ts";
import { describePortTaken } from "./port-taken.ts";
import type { ProxyRequest } from "./proxy-headers.ts";
import { hasLeft } from "./proxy-response.ts";
import type { ProxyResponse } from "./proxy-response.ts";
import { APP_STATE_HEADER, renderWaitingPage } from "./waiting-page.ts";
import type { DownState } from "./waiting-page.ts";

/** Answers with an error, as a problem body. */
export function sendRefusal(response: ProxyResponse, error: ChanctlError): void {
  send(response, toProblemAnswer(error));
}

interface DownOptions {
  readonly app: App;
  /** Whether visitors may read what the app wrote, and who has its port: that can hold secrets (CWE-209). */
  readonly showOutput: boolean;
}

/** Answers for an app that cannot: a browser's navigation gets the waiting page, everybody else a 503. */
export function sendAppDown(
  request: ProxyRequest,
  response: ProxyResponse,
  { app, showOutput }: DownOptions,
): void {
  const down = app.state === "ready" ? "unreachable" : app.state;
  const state: DownState = app.isGivenUp ? "given-up" : down;
  const why = down === "blocked" ? ": another program has its port" : "";
  const error = new ChanctlError("app_unavailable", `the app must be ready to answer, and is ${down}${why}`, {
    retryAfterSecs: 1,
  });
  const problem = toProblemAnswer(error);
  const headers = { ...problem.headers, [APP_STATE_HEADER]: state };
  if (!isNavigation(request)) {
    send(response, { ...problem, headers });
    return;
  }
  const nonce = randomBytes(16).toString("base64");
  const source = `'nonce-${nonce}'`;
  send(response, {
    status: problem.status,
    headers: {
      ...headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; connect-src 'self'; style-src ${source}; script-src ${source}`,
    },
    body: renderWaitingPage({
      state,
      origin: app.origin,
      lines: showOutput ? linesOf(app) : [],
      nonce,
    }),
  });
}

/** What is to be known of an app that is down, beside its state. */
function linesOf({ state, origin, portTaker, lastLines }: App): readonly string[] {
  if (state === "starting") return [];
  if (state !== "blocked") return lastLines;
  const { message, hint } = describePortTaken(Number(origin.port), portTaker);
  return [message, ...hint.split("\n").map((fix, index) => `  ${index === 0 ? "fix:" : "    "} ${fix}`)];
}

/** Why an app that was asked has not answered, from what undici or Node made of it. */
export function whyUnanswered(error: Error): string {
  const code = errorCodeOf(error) ?? "";
  if (/_HEADERS?_OVERFLOW$/.test(code)) {
    return `the head of the app's answer is larger than ${MAX_ANSWER_HEADER_BYTES} bytes`;
  }
  if (error instanceof errors.HTTPParserError || code.startsWith("HPE_"))
    return "what the app answered is no HTTP/1.1; it may expect TLS on its port";
  return "the app broke the connection off before it answered";
}

/** Whether somebody looks at the answer: a browser that asks for a page. */
export function isNavigation({ method, headers }: ProxyRequest): boolean {
  return (method === "GET" || method === "HEAD") && (headers.accept ?? "").includes("text/html");
}

function send(response: ProxyResponse, answer: ProblemAnswer): void {
  if (response.headersSent || hasLeft(response)) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
    "x-content-type-options": "nosniff",
  });
  response.end(answer.body);
}

import { randomBytes } from "node:crypto";
import { toProblemAnswer } from "../protocol/problem.ts";
import type { ProblemAnswer } from "../protocol/problem.ts";
import { ChanctlError } from "../shared/errors.ts";
import type { App } from "./app.ts";
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
  /** Whether visitors may read what the app wrote: its lines can hold secrets (CWE-209). */
  readonly showOutput: boolean;
}

/** Answers for an app that cannot: a browser's navigation gets the waiting page, everybody else a 503. */
export function sendAppDown(
  request: ProxyRequest,
  response: ProxyResponse,
  { app, showOutput }: DownOptions,
): void {
  const state: DownState = app.state === "ready" ? "unreachable" : app.state;
  const error = new ChanctlError("app_unavailable", `the app must be ready to answer, and is ${state}`, {
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
      lastLines: showOutput && state !== "starting" ? app.lastLines : [],
      nonce,
    }),
  });
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

import type { ServerResponse } from "node:http";
import { startFixtureApp } from "./fixture-app.ts";
import type { FixtureApp } from "./fixture-app.ts";

/** A call of the broker to the app. */
export interface AppCall {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** The body as it came. */
  readonly text: string;
}

/**
 * What the app does with a call: answers 200 with the JSON of what is returned, or, where that is `undefined`,
 * whatever was done with the response.
 */
export type Answer = (call: AppCall, response: ServerResponse) => unknown;

/** A real app that is asked, and the calls it has got. */
export interface TestApp extends FixtureApp {
  readonly calls: readonly AppCall[];
}

/** Starts an app that answers as the test says. */
export async function startTestApp(answer: Answer, port?: number): Promise<TestApp> {
  const calls: AppCall[] = [];
  const app = await startFixtureApp(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const call = {
      path: request.url ?? "",
      authorization: request.headers.authorization,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
      text,
    };
    calls.push(call);
    const value = await answer(call, response);
    if (value === undefined) return;
    response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  }, port);
  return { url: app.url, calls, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

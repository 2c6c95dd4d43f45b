import { answerCall, isCallPath } from "./answer-call.ts";
import type { Answerers } from "./answer-call.ts";

/** The broker's calls, answered for servers of the Fetch API. */
export function fetchHandler(answerers: Answerers): (request: Request) => Promise<Response> {
  return async (request) => {
    const path = new URL(request.url).pathname;
    if (!isCallPath(path)) return new Response(null, { status: 404 });
    const { status, json } = await answerCall(
      {
        method: request.method,
        path,
        authorization: request.headers.get("authorization") ?? undefined,
        readBody: () => request.json(),
      },
      answerers,
    );
    if (json === undefined) return new Response(null, { status });
    return new Response(json, { status, headers: { "content-type": "application/json" } });
  };
}

import type { HttpRequest, HttpResponse } from "./http.ts";

/**
 * Waits until a response is the next that its connection sends, for one that is much to hold: a client may pipeline
 * requests and read no answer, and each would wait in memory (CWE-770). HTTP/2 has no such line.
 *
 * @returns `false` if the connection has ended meanwhile: a response that never came to its turn is not told.
 */
export async function untilFirstInLine(request: HttpRequest, response: HttpResponse): Promise<boolean> {
  if ("stream" in response || response.socket !== null) return true;
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      response.off("socket", settle);
      request.off("close", settle);
      resolve();
    };
    response.once("socket", settle);
    request.once("close", settle);
  });
  return response.socket !== null;
}

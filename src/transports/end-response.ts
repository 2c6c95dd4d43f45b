import { hasLeft } from "./http.ts";
import type { HttpResponse } from "./http.ts";

/** How long the last bytes may take to leave. */
const LINGER_MS = 5_000;

/** Ends a response that was open for long. A peer that does not read would else keep its unsent bytes for ever. */
export function endResponse(response: HttpResponse): void {
  if (hasLeft(response)) return;
  response.end();
  const timer = setTimeout(() => response.destroy(), LINGER_MS);
  response.once("close", () => clearTimeout(timer));
}

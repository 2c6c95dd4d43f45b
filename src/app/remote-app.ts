import { ChanctlError } from "../shared/errors.ts";
import type { App } from "./app.ts";

/**
 * The app at `app.url`, which somebody else runs. It counts as ready: only a request shows whether it is, and at which
 * of its name's addresses.
 *
 * @throws {ChanctlError} `config_invalid` if the URL is not an `http:` or `https:` origin.
 */
export function remoteApp(url: string): App {
  return {
    origin: parseOrigin(url),
    address: undefined,
    state: "ready",
    portTaker: undefined,
    isGivenUp: false,
    isOutdated: false,
    lastLines: [],
    onState: () => () => {},
    onReplaced: () => () => {},
    waitUntilReady: async () => {},
  };
}

function parseOrigin(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url;
  throw new ChanctlError(
    "config_invalid",
    `\`app.url\` must be a URL without path and query, such as http://127.0.0.1:3000, got \`${text}\``,
  );
}

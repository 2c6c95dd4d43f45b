import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers plain HTTP on the TLS port: the same URL, over HTTPS. 308 keeps the method and the body. */
export function redirectToHttps(request: IncomingMessage, response: ServerResponse): void {
  const { host } = request.headers;
  const url = `https://${host}${request.url}`;
  // A Host that is no host would make the redirect lead anywhere (CWE-601).
  if (
    host === undefined ||
    !URL.canParse(url) ||
    new URL(url).host !== host.toLowerCase().replace(/:443$/, "")
  ) {
    response.writeHead(400, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(308, { location: url, "content-length": 0 }).end();
}
